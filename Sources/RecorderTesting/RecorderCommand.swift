package import Foundation
internal import Synchronization

/// The built `recorder`, run as a user runs it: a process with arguments, standard input and an environment.
package final class RecorderCommand: Sendable {
    /// The outcome of a run.
    package struct Result: Sendable {
        /// 0 done, 1 failed, 2 used wrongly; negative: the signal that ended it.
        package let status: Int32
        package let output: String
        package let errors: String

        /// The lines of standard output.
        package var lines: [Substring] { output.split(separator: "\n") }
    }

    private let process: Process
    private let outputURL: URL
    private let errorsURL: URL
    private let ended = Mutex<(result: Int32?, waiters: [CheckedContinuation<Int32, Never>])>((nil, []))

    /// Where the build put the program: beside the test bundle, unless `RECORDER_PROGRAM` names another build of it.
    package static let executable =
        ProcessInfo.processInfo.environment["RECORDER_PROGRAM"].map { URL(filePath: $0) }
        ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "recorder")

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - arguments: What follows `recorder`.
    ///   - databaseURL: The value of `DATABASE_URL`, if any.
    ///   - variables: Further environment variables, in addition to this process's.
    ///   - input: Standard input; empty unless given.
    ///   - directory: The directory that it runs in.
    package init(
        _ arguments: [String],
        databaseURL: String? = nil,
        variables: [String: String] = [:],
        input: URL? = nil,
        directory: URL? = nil
    ) throws {
        let folder = FileManager.default.temporaryDirectory
        outputURL = folder.appending(path: "recorder-out-\(UUID().uuidString)")
        errorsURL = folder.appending(path: "recorder-err-\(UUID().uuidString)")
        for url in [outputURL, errorsURL] { try Data().write(to: url) }
        let output = try FileHandle(forWritingTo: outputURL)
        let errors = try FileHandle(forWritingTo: errorsURL)
        let given = try input.map { try FileHandle(forReadingFrom: $0) }
        // The program has its own copies by then. Otherwise Foundation keeps them open, and beyond a thousand it no
        // longer notices that a program has ended.
        defer { for handle in [output, errors, given] { try? handle?.close() } }
        process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("RECORDER_")
        }
        environment["DATABASE_URL"] = databaseURL
        process.environment = environment.merging(variables) { $1 }
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = given ?? FileHandle.nullDevice
        if let directory { process.currentDirectoryURL = directory }
        process.terminationHandler = { [weak self] process in
            let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
            self?.finish(status)
        }
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
        try? FileManager.default.removeItem(at: outputURL)
        try? FileManager.default.removeItem(at: errorsURL)
    }

    /// The process id.
    package var id: Int32 { process.processIdentifier }

    /// Sends a signal, such as `SIGKILL`.
    package func send(_ signal: Int32) { kill(id, signal) }

    /// What it has printed so far.
    package var outputSoFar: String { (try? String(contentsOf: outputURL, encoding: .utf8)) ?? "" }

    /// What it has written to standard error so far.
    package var errorsSoFar: String { (try? String(contentsOf: errorsURL, encoding: .utf8)) ?? "" }

    /// Waits until it ends, and kills it when the test is cancelled, such as by its time limit.
    package func result() async -> Result {
        let status = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known = ended.withLock { state -> Int32? in
                    if state.result == nil { state.waiters.append(waiter) }
                    return state.result
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            // A process that has ended has given its id back.
            ended.withLock { if $0.result == nil { send(SIGKILL) } }
        }
        return Result(status: status, output: outputSoFar, errors: errorsSoFar)
    }

    private func finish(_ status: Int32) {
        let waiters = ended.withLock { state in
            state.result = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    /// Runs the program to its end.
    package static func run(_ arguments: String..., databaseURL: String? = nil, input: String? = nil) async throws
        -> Result
    {
        try await run(arguments, databaseURL: databaseURL, input: input)
    }

    /// Runs the program to its end.
    package static func run(_ arguments: [String], databaseURL: String? = nil, input: String? = nil) async throws
        -> Result
    {
        var file: URL?
        if let input {
            let url = FileManager.default.temporaryDirectory.appending(path: "recorder-in-\(UUID().uuidString)")
            try Data(input.utf8).write(to: url)
            file = url
        }
        defer { if let file { try? FileManager.default.removeItem(at: file) } }
        return try await RecorderCommand(arguments, databaseURL: databaseURL, input: file).result()
    }
}
