package import EventModel

/// One conversation as services would have appended it, with what happened around it on its user's stream.
package struct SimulatedSession: Sendable {
    /// The conversation's stream.
    package let session: StreamID
    /// The user's stream.
    package let user: StreamID
    /// Events of both streams in the order of time; each stream's own events are in the order in which to append them.
    package let events: [EventLine]

    /// One append for each stream, the conversation's last.
    package var appends: [Append] {
        [user, session].compactMap { stream in
            let events = events.filter { $0.stream == stream }.map(\.event)
            return events.isEmpty ? nil : Append(stream: stream, events: events)
        }
    }
}
