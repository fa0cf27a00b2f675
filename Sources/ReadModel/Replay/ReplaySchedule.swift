package import EventModel

/// When a session's events are due if it is replayed at its own pace.
///
/// An event whose producer's clock was wrong has a time far from the others'. No event is due later than the next one,
/// so such an event holds up nothing.
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

    /// How long after the beginning an event is due; nil for one that came after the schedule was made.
    package func offset(at index: Int) -> Duration? {
        guard dues.indices.contains(index), let begin else { return nil }
        return dues[index].duration(since: begin)
    }
}
