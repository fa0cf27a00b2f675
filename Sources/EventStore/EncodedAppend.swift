internal import EventModel
internal import PayloadCodec

/// An append whose payloads are frames already, so that the one who writes it only copies bytes.
struct EncodedAppend: Sendable {
    /// One event of it.
    struct Event: Sendable {
        let id: EventID
        let type: EventType
        let occurredAt: Timestamp
        let encoding: PayloadEncoding
        let frame: [UInt8]
        /// The user whom a session that starts is about.
        let subject: StreamID?
    }

    let stream: StreamID
    let expectedVersion: ExpectedVersion
    let events: [Event]

    /// Compresses an append's payloads.
    ///
    /// - Parameter seals: What of each event is sealed, and how; none at all if nothing is.
    /// - Throws: ``EventStoreError`` with `.invalidAppend` if it has no event or one id twice.
    init(_ append: Append, encoder: PayloadEncoder, seals: [PayloadSeal?] = []) throws {
        guard !append.events.isEmpty else {
            throw EventStoreError(.invalidAppend, "an append has at least one event", stream: append.stream)
        }
        if append.events.count > 1 {
            var ids: Set<EventID> = []
            for event in append.events where !ids.insert(event.id).inserted {
                throw EventStoreError(
                    .invalidAppend,
                    "event id \(event.id) stands twice in one append to stream \(append.stream): every event has its own",
                    stream: append.stream
                )
            }
        }
        stream = append.stream
        expectedVersion = append.expectedVersion
        let now = Timestamp.now()
        events = try append.events.enumerated().map { place, event in
            let seal = seals.isEmpty ? nil : seals[place]
            let (frame, encoding) =
                if let seal {
                    try encoder.encode(data: event.data, metadata: event.metadata, sealing: seal)
                } else {
                    try encoder.encode(data: event.data, metadata: event.metadata)
                }
            return Event(
                id: event.id,
                type: event.type,
                occurredAt: event.occurredAt ?? now,
                encoding: encoding,
                frame: frame,
                subject: event.subject
            )
        }
    }
}
