import Foundation
import Operations

/// PostgreSQL's own programs, run as an operator runs them.
enum ServerTool {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let folder: String = {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
            .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
        let folders = versions.map { "\(root)/\($0)/bin" } + ["/usr/bin", "/usr/local/pgsql/bin", "/usr/local/bin"]
        return folders.first { FileManager.default.isExecutableFile(atPath: "\($0)/pg_resetwal") } ?? "/usr/bin"
    }()

    /// Runs a program to its end.
    ///
    /// - Parameter user: As whom, if this process is root.
    static func run(_ program: String, _ arguments: String..., user: String? = nil) async throws {
        let process = Process()
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = errors
        var words = ["\(folder)/\(program)"] + arguments
        if let user, geteuid() == 0 {
            words = ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--"] + words
        }
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        let output = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        guard process.terminationStatus == 0 else { throw Failure(description: "\(program): \(output)") }
    }
}
