internal import Foundation

/// A Python that has the library `eventsourcing` and the client psycopg.
///
/// `RecorderTesting` makes such environments too, elsewhere first and then moved, because tests in many processes share
/// them. This program does not include the test kit, and runs one benchmark at a time.
struct PeerPython: Sendable {
    /// The command that starts it.
    private let words: [String]
    /// The library's version.
    let version: String

    private static let packages = ["eventsourcing[postgres]>=9.5,<10", "psycopg[binary]>=3.2,<4"]
    private static let probe = """
        from importlib.metadata import version
        from importlib.util import find_spec
        if not (find_spec("eventsourcing") and find_spec("psycopg")): raise SystemExit(1)
        print(version("eventsourcing"))
        """

    /// Finds the machine's Python or one in the user's cache; creates and keeps the latter if neither has the packages.
    ///
    /// - Throws: ``BenchmarkError`` with `.process` if there is no Python or PyPI cannot be reached.
    static func find() async throws -> PeerPython {
        let caches = FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
        let folder = (caches ?? FileManager.default.temporaryDirectory).appending(path: "recorder/peers")
            .path(percentEncoded: false)
        let own = ["\(folder)/bin/python"]
        for words in [["/usr/bin/env", "python3"], own] {
            if let python = try? await PeerPython(words) { return python }
        }
        do {
            _ = try await MeasuredProcess.run(["/usr/bin/env", "python3", "-m", "venv", folder])
            let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _ = try await MeasuredProcess.run(own + install + packages)
            return try await PeerPython(own)
        } catch let error as BenchmarkError {
            throw BenchmarkError(
                .process,
                "Python has no package eventsourcing, and it could not be installed in \(folder); install "
                    + "\(packages.joined(separator: " and ")) for python3. \(error)"
            )
        }
    }

    /// - Throws: ``BenchmarkError`` with `.process` if it lacks a package or cannot be started.
    private init(_ words: [String]) async throws {
        self.words = words
        version = try await Self.run(words + ["-c", Self.probe])
    }

    /// Runs a script.
    ///
    /// - Parameter words: The script's text and its arguments.
    /// - Returns: What it printed, without white space at either end.
    func run(_ words: [String]) async throws -> String { try await Self.run(self.words + ["-c"] + words) }

    private static func run(_ words: [String]) async throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "recorder-peer-\(UUID().uuidString)")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try await MeasuredProcess.run(words, output: path)
        let printed = try String(contentsOfFile: path, encoding: .utf8)
        return printed.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
