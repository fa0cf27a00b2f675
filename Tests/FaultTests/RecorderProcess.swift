import Foundation
import RecorderTesting
import Synchronization

/// A `recorder` that is fed lines and answers in lines until it ends or is killed. It dies with this process.
///
/// The thread that started it lives as long as it does: Linux sends the parent-death signal when the *thread* that made
/// the child ends (`prctl(2)`, `PR_SET_PDEATHSIG`).
final class RecorderProcess: Sendable {
    /// How it ended, and who waits for that.
    private final class Ending: Sendable {
        private let state = Mutex<(status: Int32?, waiters: [CheckedContinuation<Int32, Never>])>((nil, []))

        var status: Int32? { state.withLock { $0.status } }

        func finish(_ status: Int32) {
            let waiters = state.withLock { state in
                state.status = status
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume(returning: status) }
        }

        func wait() async -> Int32 {
            await withCheckedContinuation { waiter in
                let known = state.withLock { state in
                    if state.status == nil { state.waiters.append(waiter) }
                    return state.status
                }
                if let known { waiter.resume(returning: known) }
            }
        }

        /// Sends a signal unless the process has ended.
        func signal(_ number: Int32, to id: Int32) { state.withLock { if $0.status == nil { kill(id, number) } } }
    }

    /// The process.
    let id: Int32
    /// What it prints, in whole lines; ends with the process.
    let lines: AsyncStream<String>
    private let input: FileHandle
    private let ending: Ending
    private let writing = DispatchQueue(label: "recorder.fault.input")

    private init(id: Int32, lines: AsyncStream<String>, input: FileHandle, ending: Ending) {
        self.id = id
        self.lines = lines
        self.input = input
        self.ending = ending
    }

    deinit { ending.signal(SIGKILL, to: id) }

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - arguments: What stands behind `recorder`.
    ///   - log: The file that gets standard error, behind what it holds.
    static func start(_ arguments: [String], databaseURL: String, log: URL) async throws -> RecorderProcess {
        try await withCheckedThrowingContinuation { started in
            Thread.detachNewThread { run(arguments, databaseURL, log, started) }
        }
    }

    private static func run(
        _ arguments: [String],
        _ databaseURL: String,
        _ log: URL,
        _ started: CheckedContinuation<RecorderProcess, any Error>
    ) {
        let (lines, continuation) = AsyncStream<String>.makeStream()
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        let ending = Ending()
        do {
            process.executableURL = URL(filePath: "/usr/bin/setpriv")
            process.arguments =
                ["--pdeathsig", "KILL", RecorderCommand.executable.path(percentEncoded: false)] + arguments
            var environment = ProcessInfo.processInfo.environment.filter {
                !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("RECORDER_")
            }
            environment["DATABASE_URL"] = databaseURL
            process.environment = environment
            process.standardInput = input
            process.standardOutput = output
            if !FileManager.default.fileExists(atPath: log.path(percentEncoded: false)) { try Data().write(to: log) }
            let errors = try FileHandle(forWritingTo: log)
            try errors.seekToEnd()
            process.standardError = errors
            try process.run()
        } catch {
            return started.resume(throwing: error)
        }
        started.resume(
            returning: RecorderProcess(
                id: process.processIdentifier,
                lines: lines,
                input: input.fileHandleForWriting,
                ending: ending
            )
        )
        var rest: [UInt8] = []
        while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
            rest += data
            while let end = rest.firstIndex(of: 0x0A) {
                continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeSubrange(...end)
            }
        }
        process.waitUntilExit()
        let status = process.terminationStatus
        ending.finish(process.terminationReason == .exit ? status : -status)
        continuation.finish()
    }

    /// Whether it has not ended.
    var isRunning: Bool { ending.status == nil }

    /// Sends a signal, unless it has ended.
    func send(_ signal: Int32) { ending.signal(signal, to: id) }

    /// Feeds it; that it ends meanwhile shows in its lines.
    func write(_ bytes: [UInt8]) async {
        await withCheckedContinuation { continuation in
            writing.async { [input] in
                try? input.write(contentsOf: Data(bytes))
                continuation.resume()
            }
        }
    }

    /// Ends its input.
    func closeInput() { writing.async { [input] in try? input.close() } }

    /// Waits until it ends.
    ///
    /// - Returns: Its exit status; negative: the signal that ended it.
    func ended() async -> Int32 { await ending.wait() }
}
