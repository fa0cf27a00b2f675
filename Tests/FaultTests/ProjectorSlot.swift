import Foundation
import Synchronization

/// A place where a `recorder project` runs, and is started again whenever it ends, as a service manager would.
final class ProjectorSlot: Sendable {
    let number: Int
    private let databaseURL: String
    private let log: URL
    private let state = Mutex<(child: RecorderProcess?, isStopping: Bool, starts: Int, exits: [String])>(
        (nil, false, 0, [])
    )

    init(_ number: Int, databaseURL: String, folder: URL) {
        self.number = number
        self.databaseURL = databaseURL
        log = folder.appending(path: "projector-\(number).log")
    }

    /// The process that runs now.
    var child: RecorderProcess? { state.withLock { $0.child } }
    /// How often it was started.
    var starts: Int { state.withLock { $0.starts } }
    /// What it said when it ended and nobody had killed it.
    var exits: [String] { state.withLock { $0.exits } }
    /// The end of what it has logged.
    var lastWords: String { String(((try? String(contentsOf: log, encoding: .utf8)) ?? "").suffix(2_000)) }

    /// Keeps a projector running until ``stop()``.
    func run() async throws {
        while !state.withLock({ $0.isStopping }) {
            let child = try await RecorderProcess.start(
                ["project", "--workers", "2", "--log-level", "info"],
                databaseURL: databaseURL,
                log: log
            )
            let isStopping = state.withLock { state in
                state.child = child
                state.starts += 1
                return state.isStopping
            }
            if isStopping { child.send(SIGTERM) }
            let status = await withTaskCancellationHandler {
                await child.ended()
            } onCancel: {
                child.send(SIGKILL)
            }
            try Task.checkCancellation()
            state.withLock { state in
                guard !state.isStopping, status != -SIGKILL else { return }
                let words = lastWords.split(separator: "\n").last { $0.hasPrefix("recorder:") } ?? ""
                state.exits.append("\(status) \(words.prefix(160))")
            }
        }
    }

    /// Asks it to end in order, as SIGTERM does.
    ///
    /// - Returns: Its exit status.
    func stop() async -> Int32 {
        let child = state.withLock { state in
            state.isStopping = true
            return state.child
        }
        child?.send(SIGCONT)
        child?.send(SIGTERM)
        return await child?.ended() ?? 0
    }
}
