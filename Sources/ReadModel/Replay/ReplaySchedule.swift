package import EventModel

/// When a session's events are due if it is played in its own time.
///
/// A producer whose clock was wrong leaves an event with a time far from the others'. None is waited for longer than
/// for the one behind it, so that such an event holds up nothing.
package struct ReplaySchedule: Sendable {
    /// When the session began: the earliest time of its events; nil if there is none.
    package let begin: Timestamp?
    private let dues: [Timestamp]

    /// - Parameter times: When the events happened, in the stream's order.
    package init(_ times: [Timestamp]) {
        begin = times.min()
        var dues = times
        for index in dues.indices.dropLast().reversed() { dues[index] = min(dues[index], dues[index + 1]) }
        self.dues = dues
    }

    /// How long after the beginning an event is due; nil for one that came later than the schedule was made.
    package func offset(at index: Int) -> Duration? {
        guard dues.indices.contains(index), let begin else { return nil }
        return dues[index].duration(since: begin)
    }
}
