internal import Postgres
internal import Synchronization

/// A server that is away, as all parts of a projector meet it: one of them says so, for all.
final class ServerOutage: Sendable {
    private static let silence = Duration.seconds(60)

    private let state = Mutex<(since: ContinuousClock.Instant, said: ContinuousClock.Instant)?>(nil)

    /// Whether whoever met an error is to say it: unless it is that the server is
    /// away, and somebody said so within the minute.
    func isNews(_ error: any Error, at now: ContinuousClock.Instant = .now) -> Bool {
        guard (error as? PostgresError)?.isServerAway == true else { return true }
        return state.withLock { state in
            if let state, now < state.said + Self.silence { return false }
            state = (state?.since ?? now, now)
            return true
        }
    }

    /// Ends it, since the server has answered.
    ///
    /// - Returns: How long it lasted; `nil` if there was none, or one connection broke and the next was good.
    func end(at now: ContinuousClock.Instant = .now) -> Duration? {
        state.withLock { state in
            let away = state.map { $0.since.duration(to: now) }
            state = nil
            return away.flatMap { $0 < .seconds(1) ? nil : $0 }
        }
    }
}

extension PostgresError {
    /// Whether nothing can be done with the server now, whoever asks.
    fileprivate var isServerAway: Bool {
        [.connectionFailed, .connectionLost, .timedOut].contains(code) || isServerGoingAway
    }
}
