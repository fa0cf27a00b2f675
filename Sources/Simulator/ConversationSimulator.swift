package import EventModel
import FoundationEssentials

/// Makes up conversations, one after another, that follow the contract of `events.md`.
///
/// The same seed and start give the same bytes on every machine. Texts are our own. Latencies have long tails; users
/// barge in; stages fail and are retried; tools are called; some measurements are missing; some calls carry their cost,
/// others leave it to the recorder, others have no known cost. About 100 events a session.
package struct ConversationSimulator: Sendable {
    private var source: SeededSource
    private var users: SimulatedUsers
    private var clock: Timestamp

    /// Begins a series of conversations.
    ///
    /// - Parameters:
    ///   - seed: Fixes everything that follows.
    ///   - start: When the first conversation begins; the next ones follow some seconds apart and overlap.
    package init(seed: UInt64, startingAt start: Timestamp) {
        source = SeededSource(seed: seed)
        users = SimulatedUsers(source: source.split(), registeredBefore: start)
        clock = start
    }

    /// The next conversation.
    package mutating func nextSession() -> SimulatedSession {
        clock = clock.advanced(by: .microseconds(Int64(source.logNormal(median: 9_000_000, sigma: 0.9))))
        var own = source.split()
        let visit = users.visit(before: clock, source: &own)
        var run = SessionRun(visitor: visit.user, startingAt: clock, source: own)
        run.converse()
        return SimulatedSession(
            session: run.stream,
            user: StreamID(visit.user.id),
            events: visit.events + run.events
        )
    }
}
