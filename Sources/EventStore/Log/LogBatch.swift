public import EventModel

/// Events that were read from the log together.
public struct LogBatch: Sendable {
    /// The events, each stream's in version order.
    public let events: [RecordedEvent]
    /// The events among them that cannot be decoded, if the reader asked to pass over those; otherwise they are an
    /// error.
    public let unreadable: [UnreadableEvent]
    /// Where to read on after them; save it together with what was made of the events.
    public let cursor: LogCursor

    init(_ decoded: (events: [RecordedEvent], unreadable: [UnreadableEvent]), cursor: LogCursor) {
        (events, unreadable) = decoded
        self.cursor = cursor
    }

    /// Whether nothing was read.
    public var isEmpty: Bool { events.isEmpty && unreadable.isEmpty }
}

/// A stored event that cannot be decoded.
public struct UnreadableEvent: Sendable {
    /// The event's stream.
    public let stream: StreamID
    /// The event's id.
    public let id: EventID
    /// The event's version in its stream, from 1.
    public let version: Int
    /// The event's position in the log.
    public let position: Int64
    /// Why it cannot be decoded, and what to do; the code is `.corruptEvent`.
    public let error: EventStoreError

    init(_ stored: StoredEvent, _ error: EventStoreError) {
        (stream, id, version, position) = (stored.stream, stored.id, stored.version, stored.position)
        self.error = error
    }
}
