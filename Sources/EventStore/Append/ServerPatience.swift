internal import Logging
internal import Postgres
internal import Synchronization

/// Waits out a server that is away while something is looked up that appends need first, as the appender does while it
/// stores them. Shared by all that look something up, so that the log hears of trouble once and not from each.
final class ServerPatience: Sendable {
    private let logger: Logger
    private let silentUntil = Mutex(ContinuousClock.now)

    init(logger: Logger) { self.logger = logger }

    /// Runs `look`, and again while the server is away, for as long as the patience lasts.
    ///
    /// - Throws: What `look` throws: at once if trying again cannot help, and otherwise after the patience;
    ///   `CancellationError`.
    func wait<R>(_ patience: Duration, for look: () async throws -> R) async throws -> R {
        var trouble = AppendTrouble(since: .now, patience: patience)
        while true {
            do {
                return try await look()
            } catch let error as EventStoreError where error.isPassing {
                let step = trouble.step(at: .now)
                if step.isWorthSaying, isFirstToSay() {
                    logger.warning("an append is tried again", metadata: ["error": "\(error)"])
                }
                guard let pause = step.pause else { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }

    private func isFirstToSay() -> Bool {
        silentUntil.withLock { until in
            guard until <= .now else { return false }
            until = .now + AppendTrouble.silence
            return true
        }
    }
}

extension EventStoreError {
    /// Whether the same look-up may succeed later although nobody does anything.
    fileprivate var isPassing: Bool { code == .unavailable && (cause as? PostgresError)?.isLasting != true }
}
