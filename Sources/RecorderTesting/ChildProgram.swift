import Foundation

/// Programs that tests run.
package enum ChildProgram {
    /// What a program printed, and how it ended.
    package struct Output: Sendable {
        package let text: String
        package let errors: String
        package let status: Int32

        /// The lines that are not empty.
        package var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    /// A program that failed.
    struct Failure: Error, CustomStringConvertible {
        let program: String
        let reason: String

        var description: String { "\(program) failed: \(reason)" }
    }

    /// Runs a program to its end; it must succeed.
    ///
    /// - Parameters:
    ///   - program: A path, or a name that is looked up in `PATH`.
    ///   - input: What it reads from standard input.
    package static func run(_ program: String, _ arguments: [String], input: String = "") async throws -> Output {
        let output = try await attempt(program, arguments, input: input)
        guard output.status == 0 else { throw Failure(program: program, reason: output.errors) }
        return output
    }

    /// Runs a program to its end.
    package static func attempt(_ program: String, _ arguments: [String], input: String = "") async throws -> Output {
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
        let (read, written) = (try FileHandle(forReadingFrom: files[0]), try FileHandle(forWritingTo: files[1]))
        // The program has its own copies by then; see ``RecorderCommand``.
        defer { for handle in [read, written, pipe.fileHandleForReading] { try? handle.close() } }
        process.standardInput = read
        process.standardOutput = pipe
        process.standardError = written
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
