/// Follows a session from state to state, without side effects.
///
/// A producer calls ``change(to:reason:)`` to get the event to send. A reader passes each recorded change to
/// ``record(from:to:)``.
public struct SessionStateMachine: Hashable, Sendable {
    /// The current state; initially `idle`.
    public private(set) var state: SessionState
    /// How many recorded changes did not start from the current state or are not in the table.
    public private(set) var anomalies = 0

    /// Starts in `state`.
    public init(state: SessionState = .idle) { self.state = state }

    /// Whether the table of `events.md` allows this pair.
    public static func allows(from: SessionState, to: SessionState) -> Bool { from.successors.contains(to) }

    /// Goes to another state and returns the event for it.
    ///
    /// - Parameters:
    ///   - next: The state to go to.
    ///   - reason: Why, in the producer's words.
    /// - Throws: ``EventModelError`` with code `.illegalTransition` if the table does not allow the pair; the state
    ///   then stays.
    public mutating func change(
        to next: SessionState,
        reason: String? = nil
    ) throws(EventModelError) -> SessionStateChanged {
        let event = try SessionStateChanged(from: state, to: next, reason: reason)
        state = next
        return event
    }

    /// Records a change that happened, whether or not it was allowed.
    ///
    /// - Returns: Whether it started from the current state and is in the table; if not, it counts as an anomaly.
    @discardableResult
    public mutating func record(from: SessionState, to: SessionState) -> Bool {
        let isRegular = from == state && SessionStateMachine.allows(from: from, to: to)
        if !isRegular { anomalies += 1 }
        state = to
        return isRegular
    }
}
