/// Follows a session from state to state; pure.
///
/// A producer asks ``change(to:reason:)`` for the event to send. A reader gives ``record(from:to:)`` what was sent.
public struct SessionStateMachine: Hashable, Sendable {
    /// The state now; `idle` in the beginning.
    public private(set) var state: SessionState
    /// How many recorded changes did not begin at the state or are not in the table.
    public private(set) var anomalies = 0

    /// Begins in `state`.
    public init(state: SessionState = .idle) { self.state = state }

    /// Whether the table of `events.md` has this pair.
    public static func allows(from: SessionState, to: SessionState) -> Bool { from.successors.contains(to) }

    /// Goes to another state and gives the event that says so.
    ///
    /// - Parameters:
    ///   - next: The state to go to.
    ///   - reason: Why, in the producer's words.
    /// - Throws: ``EventModelError`` with code `.illegalTransition` if the table
    ///   does not have the pair; the state stays.
    public mutating func change(
        to next: SessionState,
        reason: String? = nil
    ) throws(EventModelError) -> SessionStateChanged {
        let event = try SessionStateChanged(from: state, to: next, reason: reason)
        state = next
        return event
    }

    /// Takes note of a change that happened, whether it was allowed or not.
    ///
    /// - Returns: Whether it began at the state and is in the table; if not, it counts as an anomaly.
    @discardableResult
    public mutating func record(from: SessionState, to: SessionState) -> Bool {
        let isRegular = from == state && SessionStateMachine.allows(from: from, to: to)
        if !isRegular { anomalies += 1 }
        state = to
        return isRegular
    }
}
