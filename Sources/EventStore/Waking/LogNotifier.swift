internal import Logging
internal import Postgres
internal import Synchronization

/// Wakes subscribers after commits, from a session of its own, with one notification for all commits meanwhile.
///
/// A NOTIFY in a writing transaction holds one lock over the whole cluster until the commit is flushed, and one after
/// each commit makes the producers wait for it. A notification is a hint: if it cannot be sent, the listeners' polling
/// finds the events.
final class LogNotifier: Sendable {
    private struct State {
        var isDue = false
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let configuration: PostgresConfiguration
    private let logger: Logger

    /// The least time between two notifications: when commits come one by one, and when they do not stop. Under load,
    /// listeners read whole batches, and each notification takes time from the commits.
    private static let interval = (least: Duration.microseconds(250), most: Duration.milliseconds(1))
    /// How long to leave a server alone that cannot be reached.
    private static let retryPause = Duration.seconds(1)

    init(_ configuration: PostgresConfiguration, logger: Logger) {
        var configuration = configuration
        // The session has nothing to lose, so it need not wait for the disk.
        configuration.settings["synchronous_commit"] = "off"
        self.configuration = configuration
        self.logger = logger
    }

    /// Announces that something was committed. Returns at once.
    func notify() {
        let waiter = state.withLock { state in
            state.isDue = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Sends what is due, then ends ``run()``.
    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Sends notifications until ``close()``.
    func run() async {
        while await isDue() {
            do {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                do {
                    try await send(on: connection)
                } catch {
                    await connection.close()
                    throw error
                }
                await connection.close()
            } catch {
                logger.debug("a notification was not sent", metadata: ["error": "\(error)"])
                guard !state.withLock({ $0.isClosed }), !Task.isCancelled else { return }
                try? await Task.sleep(for: Self.retryPause)
            }
        }
    }

    private func send(on connection: isolated PostgresConnection) async throws {
        var interval = Self.interval.least
        repeat {
            state.withLock { $0.isDue = false }
            try await connection.execute(WakeSubscribers())
            if !state.withLock({ $0.isClosed }) { Thread.pause(interval) }
            interval = state.withLock { $0.isDue } ? min(interval * 2, Self.interval.most) : Self.interval.least
        } while await isDue()
    }

    /// Waits until something was committed.
    ///
    /// - Returns: `false` if the notifier is closed and nothing is due.
    private func isDue() async -> Bool {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.isDue || state.isClosed { return true }
                state.waiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return state.withLock { $0.isDue }
    }
}

/// Wakes those who wait for events.
private struct WakeSubscribers: PostgresStatement {
    let sql = "select pg_notify(current_schema() || '\(LogChannel.suffix)', '')"
}
