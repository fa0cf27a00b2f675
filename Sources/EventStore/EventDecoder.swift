package import EventModel
package import PayloadCodec
package import Postgres

internal import Synchronization

/// Turns stored rows into events: knows the interned types, and loads dictionaries when they are first met.
package final class EventDecoder: Sendable {
    private let types = Mutex(EventTypes())
    /// Decodes frames with the dictionaries that were loaded.
    package let payloads = PayloadDecoder()

    package init() {}

    /// The type that is interned under a number.
    ///
    /// - Throws: ``EventStoreError`` with `.corruptEvent` if there is no such number; ``PostgresError``.
    package func type(_ id: Int16, on connection: PostgresConnection) async throws -> EventType {
        if let known = types.withLock({ $0[id] }) { return known }
        var loaded = EventTypes()
        try await loaded.load(on: connection)
        types.withLock { [loaded] in $0 = loaded }
        guard let type = loaded[id] else {
            throw EventStoreError(
                .corruptEvent,
                "event type \(id) is not in event_types: restore the table from a backup"
            )
        }
        return type
    }

    /// Loads a dictionary that a frame needs.
    ///
    /// - Throws: ``EventStoreError`` with `.corruptEvent` if there is none of this id; ``PostgresError``.
    package func loadDictionary(_ id: Int, on connection: PostgresConnection) async throws {
        guard let dictionary = try await connection.first(SelectDictionary(id: id)) else {
            throw EventStoreError(
                .corruptEvent,
                "dictionary \(id) is not in the table dictionaries: restore the row from a backup"
            )
        }
        payloads.dictionaries.insert(try PayloadDictionary(id: id, bytes: dictionary.bytes))
    }

    /// Decodes a frame, after loading its dictionary if that was not met before.
    ///
    /// - Throws: ``PayloadCodecError`` if the frame is corrupt; as ``loadDictionary(_:on:)``.
    package func payload(_ frame: [UInt8], on connection: PostgresConnection) async throws -> DecodedPayload {
        do {
            return try payloads.decode(frame)
        } catch {
            guard error.code == .unknownDictionary, let id = error.dictionary else { throw error }
            try await loadDictionary(id, on: connection)
            return try payloads.decode(frame)
        }
    }

    /// Decodes an event.
    ///
    /// - Throws: ``EventStoreError`` with `.corruptEvent` that names the event; ``PostgresError``.
    package func event(_ stored: StoredEvent, on connection: PostgresConnection) async throws -> RecordedEvent {
        let payload: DecodedPayload
        do {
            payload = try await self.payload(stored.payload, on: connection)
        } catch let error as PayloadCodecError {
            throw EventStoreError(
                .corruptEvent,
                "event \(stored.id), version \(stored.version) of stream \(stored.stream), cannot be decoded",
                stream: stored.stream,
                cause: error
            )
        }
        return RecordedEvent(
            stream: stored.stream,
            id: stored.id,
            type: try await type(stored.type, on: connection),
            version: stored.version,
            position: stored.position,
            occurredAt: stored.occurredAt,
            recordedAt: stored.recordedAt,
            data: Array(payload.data),
            metadata: Array(payload.metadata)
        )
    }

    private struct SelectDictionary: PostgresStatement {
        let id: Int
        let sql = "select bytes from dictionaries where id = $1"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(Int16(clamping: id))
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> PostgresBytea { try row.decode(at: 0) }
    }
}
