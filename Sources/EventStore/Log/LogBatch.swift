public import EventModel

/// Events that were read from the log together.
public struct LogBatch: Sendable {
    /// The events, each stream's in version order.
    public let events: [RecordedEvent]
    /// The events among them that cannot be decoded, for a reader that asked to
    /// pass them; for others they are an error.
    public let unreadable: [UnreadableEvent]
    /// Where to go on after them; save it together with what was made of the events.
    public let cursor: LogCursor

    init(_ decoded: (events: [RecordedEvent], unreadable: [UnreadableEvent]), cursor: LogCursor) {
        (events, unreadable) = decoded
        self.cursor = cursor
    }

    /// Whether nothing was read.
    public var isEmpty: Bool { events.isEmpty && unreadable.isEmpty }
}

/// An event that is stored and cannot be decoded.
public struct UnreadableEvent: Sendable {
    /// The event's stream.
    public let stream: StreamID
    /// The event's id.
    public let id: EventID
    /// Which event of its stream it is, from 1.
    public let version: Int
    /// Where in the log it is.
    public let position: Int64
    /// Why, and what to do: code `.corruptEvent`.
    public let error: EventStoreError

    init(_ stored: StoredEvent, _ error: EventStoreError) {
        (stream, id, version, position) = (stored.stream, stored.id, stored.version, stored.position)
        self.error = error
    }
}
