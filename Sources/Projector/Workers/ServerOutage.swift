internal import Postgres
internal import Synchronization

/// An outage of the server, shared by all parts of a projector, so that only one of them reports it.
final class ServerOutage: Sendable {
    private static let silence = Duration.seconds(60)

    private let state = Mutex<(since: ContinuousClock.Instant, said: ContinuousClock.Instant)?>(nil)

    /// Whether to log an error: always, unless it means that the server is away, and that was logged within the last
    /// minute.
    func isNews(_ error: any Error, at now: ContinuousClock.Instant = .now) -> Bool {
        guard (error as? PostgresError)?.isServerAway == true else { return true }
        return state.withLock { state in
            if let state, now < state.said + Self.silence { return false }
            state = (state?.since ?? now, now)
            return true
        }
    }

    /// Ends the outage, because the server has answered.
    ///
    /// - Returns: How long it lasted; `nil` if there was none, or only one connection broke (less than 1 s).
    func end(at now: ContinuousClock.Instant = .now) -> Duration? {
        state.withLock { state in
            let away = state.map { $0.since.duration(to: now) }
            state = nil
            return away.flatMap { $0 < .seconds(1) ? nil : $0 }
        }
    }
}

extension PostgresError {
    /// Whether nobody can use the server now.
    fileprivate var isServerAway: Bool {
        [.connectionFailed, .connectionLost, .timedOut].contains(code) || isServerGoingAway
    }
}
