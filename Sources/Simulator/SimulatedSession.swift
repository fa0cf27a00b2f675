package import EventModel

/// One conversation as services would have appended it, with what happened to its user around it.
package struct SimulatedSession: Sendable {
    /// The conversation's stream.
    package let session: StreamID
    /// The user's stream.
    package let user: StreamID
    /// Events of both streams in the order of time; each stream's alone is in the order in which to append it.
    package let events: [EventLine]

    /// One append for each stream, the conversation's last.
    package var appends: [Append] {
        [user, session].compactMap { stream in
            let events = events.filter { $0.stream == stream }.map(\.event)
            return events.isEmpty ? nil : Append(stream: stream, events: events)
        }
    }
}
