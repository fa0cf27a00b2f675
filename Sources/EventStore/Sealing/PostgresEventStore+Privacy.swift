package import EventModel
internal import Postgres

extension PostgresEventStore {
    /// Reads the beginning of a stream without personal values: sealed ones are `null`, and in a sealed log events that
    /// hold personal values unsealed are left out. Needs no key.
    ///
    /// - Throws: As ``read(_:from:_:limit:)``.
    package func readPublicPart(of stream: StreamID, limit: Int) async throws -> [RecordedEvent] {
        let statement = ReadStream(stream: stream, version: 1, direction: .forwards, limit: limit)
        return try await reading { connection in
            let isSealed = try await connection.first(SealingState.Select())?.encryptionKey != nil
            let fields = PersonalFields(isSealed ? try await connection.query(SelectPersonalFields()) : [])
            return try await self.decoder.publicParts(try await connection.query(statement), on: connection)
                .filter { !fields.isAny(in: $0) }
        }
    }

    /// Counts the events of some streams that hold personal values unsealed. Needs no key.
    ///
    /// - Throws: As ``read(_:from:_:limit:)``.
    package func countUnsealed(in streams: [StreamID]) async throws -> Int {
        try await reading { connection in
            let fields = PersonalFields(try await connection.query(SelectPersonalFields()))
            var count = 0
            for stream in streams {
                var next: Int32 = 1
                while true {
                    let page = ReadStream(stream: stream, version: next, direction: .forwards, limit: 1_000)
                    let stored = try await connection.query(page)
                    let events = try await self.decoder.publicParts(stored, on: connection)
                    count += events.count { fields.isAny(in: $0) }
                    guard stored.count == 1_000, let last = stored.last else { break }
                    next = Int32(last.version) + 1
                }
            }
            return count
        }
    }
}

extension PersonalFields {
    /// Whether an event holds a personal value.
    fileprivate func isAny(in event: RecordedEvent) -> Bool {
        let draft = EventDraft(
            valid: event.id,
            type: event.type,
            occurredAt: nil,
            data: event.data,
            metadata: event.metadata
        )
        return concern(CollectionOfOne(draft))
    }
}
