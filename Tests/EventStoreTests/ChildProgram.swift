import Foundation
import Testing

/// Programs that tests run.
enum ChildProgram {
    /// What a program printed, and how it ended.
    struct Output: Sendable {
        let text: String
        let errors: String
        let status: Int32

        /// The lines that are not empty.
        var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    /// Runs a program to its end; it must succeed.
    ///
    /// - Parameters:
    ///   - program: A path, or a name that is looked up in `PATH`.
    ///   - input: What it reads from standard input.
    static func run(_ program: String, _ arguments: [String], input: String = "") async throws -> Output {
        let output = try await attempt(program, arguments, input: input)
        try #require(output.status == 0, "\(program) failed: \(output.errors)")
        return output
    }

    /// Runs a program to its end.
    static func attempt(_ program: String, _ arguments: [String], input: String = "") async throws -> Output {
        try await withCheckedThrowingContinuation { continuation in
            // Reading from pipes blocks, so it happens on a thread of its own.
            Thread.detachNewThread {
                continuation.resume(with: Result { try wait(program, arguments, input) })
            }
        }
    }

    private static func wait(_ program: String, _ arguments: [String], _ input: String) throws -> Output {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-program-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["input", "errors"].map { folder.appending(path: $0) }
        try Data(input.utf8).write(to: files[0])
        try Data().write(to: files[1])
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = pipe
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Output(
            text: String(decoding: text, as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
            status: process.terminationStatus
        )
    }
}

/// A Python environment with psycopg, made once on a machine and kept for later runs.
enum PythonEnvironment {
    /// The path of its interpreter; `nil` if PyPI cannot be reached.
    static func psycopg() async throws -> String? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-psycopg-3")
            .path(percentEncoded: false)
        let python = "\(folder)/bin/python"
        let works = ["-c", "import psycopg; psycopg.connect"]
        if try await ChildProgram.attempt(python, works).status == 0 { return python }
        // Aside, then moved: nobody finds half an environment. Its own scripts are not used, so it can be moved.
        let aside = "\(folder)-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: aside) }
        _ = try await ChildProgram.run("python3", ["-m", "venv", aside])
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "psycopg[binary]>=3.1,<4"]
        let installed = try await ChildProgram.attempt("\(aside)/bin/python", install)
        guard installed.status == 0 else {
            let reasons = ["Failed to establish", "Temporary failure", "ConnectionError", "Max retries", "timed out"]
            let isUnreachable = reasons.contains { installed.errors.contains($0) }
            try #require(isUnreachable, "pip failed: \(installed.errors)")
            return nil
        }
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.moveItem(atPath: aside, toPath: folder)
        _ = try await ChildProgram.run(python, works)
        return python
    }
}
