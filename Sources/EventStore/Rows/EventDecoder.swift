package import EventModel
package import PayloadCodec
package import Postgres

internal import Synchronization

/// Decodes stored rows into events. Caches interned types, and loads dictionaries when they are first needed.
package final class EventDecoder: Sendable {
    private let types = Mutex(EventTypes())
    /// Decodes frames, with the dictionaries loaded so far.
    package let payloads = PayloadDecoder()
    /// The keys that open sealed frames.
    package let keys: KeyRing

    /// - Parameter keys: The key-encryption keys that the process has.
    package init(keys: SealingKeys = .none) { self.keys = KeyRing(keys) }

    /// The type with an interned id; `nil` if there is no such id, which is a fault of the events that have it.
    ///
    /// - Throws: ``PostgresError``.
    package func type(_ id: Int16, on connection: PostgresConnection) async throws -> EventType? {
        if let known = types.withLock({ $0[id] }) { return known }
        var loaded = EventTypes()
        try await loaded.load(on: connection)
        types.withLock { [loaded] in $0 = loaded }
        return loaded[id]
    }

    /// Why events with such a type cannot be read.
    package static func unknownType(_ id: Int16) -> EventStoreError {
        EventStoreError(.corruptEvent, "event type \(id) is not in event_types: restore the table from a backup")
    }

    /// Loads a dictionary that a frame needs.
    ///
    /// - Throws: ``EventStoreError`` with `.corruptEvent` if there is none with this id, or its row is damaged;
    ///   ``PostgresError``.
    package func loadDictionary(_ id: Int, on connection: PostgresConnection) async throws {
        guard let row = try await connection.first(SelectDictionary(id: id)) else {
            throw EventStoreError(
                .corruptEvent,
                "dictionary \(id) is not in the table dictionaries: restore the row from a backup"
            )
        }
        payloads.dictionaries.insert(try row.dictionary())
    }

    /// Decodes a frame, first loading its dictionary if needed.
    ///
    /// - Throws: ``PayloadCodecError`` if the frame is corrupt; as ``loadDictionary(_:on:)``.
    private func payload(
        _ frame: [UInt8],
        of event: EventID,
        keys: PayloadKeys,
        on connection: PostgresConnection
    ) async throws -> DecodedPayload {
        do {
            return try payloads.decode(frame, of: event.uuid, keys: keys)
        } catch {
            guard error.code == .unknownDictionary, let id = error.dictionary else { throw error }
            try await loadDictionary(id, on: connection)
            return try payloads.decode(frame, of: event.uuid, keys: keys)
        }
    }

    /// Decodes events.
    ///
    /// - Throws: ``EventStoreError`` with `.corruptEvent` that names the event,
    ///   or `.keyUnavailable`; ``PostgresError``.
    package func events(_ stored: [StoredEvent], on connection: PostgresConnection) async throws -> [RecordedEvent] {
        let states = try await keys.states(for: stored, on: connection)
        var events: [RecordedEvent] = []
        events.reserveCapacity(stored.count)
        for stored in stored { events.append(try await event(stored, states, on: connection)) }
        return events
    }

    /// Decodes events that were read from the log.
    ///
    /// - Parameter passesUnreadable: Whether events that cannot be decoded are returned beside the others.
    /// - Throws: As ``events(_:on:)``, but without `.corruptEvent` if it passes over such events.
    func events(
        _ stored: [StoredEvent],
        passingUnreadable passesUnreadable: Bool,
        on connection: PostgresConnection
    ) async throws -> (events: [RecordedEvent], unreadable: [UnreadableEvent]) {
        guard passesUnreadable else { return (try await events(stored, on: connection), []) }
        let states = try await keys.states(for: stored, on: connection)
        var events: [RecordedEvent] = []
        var unreadable: [UnreadableEvent] = []
        events.reserveCapacity(stored.count)
        for stored in stored {
            do {
                events.append(try await event(stored, states, on: connection))
            } catch let error as EventStoreError where error.code == .corruptEvent {
                unreadable.append(UnreadableEvent(stored, error))
            }
        }
        return (events, unreadable)
    }

    /// Decodes an event.
    ///
    /// - Throws: As ``events(_:on:)``.
    package func event(_ stored: StoredEvent, on connection: PostgresConnection) async throws -> RecordedEvent {
        try await event(stored, try await keys.states(for: [stored], on: connection), on: connection)
    }

    /// Decodes events without what is sealed in them.
    ///
    /// - Throws: ``EventStoreError`` with `.corruptEvent`; ``PostgresError``.
    func publicParts(_ stored: [StoredEvent], on connection: PostgresConnection) async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        for stored in stored { events.append(try await event(stored, nil, on: connection)) }
        return events
    }

    /// - Parameter states: What is known of the keys; `nil` to decode only what is not sealed.
    private func event(
        _ stored: StoredEvent,
        _ states: [Int64: PayloadKeys.State]?,
        on connection: PostgresConnection
    ) async throws -> RecordedEvent {
        let (type, payload): (EventType, DecodedPayload)
        do {
            guard let known = try await self.type(stored.type, on: connection) else {
                throw Self.unknownType(stored.type)
            }
            type = known
            payload = try await self.payload(
                stored.payload,
                of: stored.id,
                keys: states.map { stored.keys($0) } ?? .publicPart,
                on: connection
            )
        } catch let error where error is PayloadCodecError || (error as? EventStoreError)?.code == .corruptEvent {
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
            type: type,
            version: stored.version,
            position: stored.position,
            occurredAt: stored.occurredAt,
            recordedAt: stored.recordedAt,
            data: Array(payload.data),
            metadata: Array(payload.metadata),
            erased: Self.erased(payload)
        )
    }

    /// The names of the members whose values were erased.
    private static func erased(_ payload: DecodedPayload) -> [String] {
        guard !payload.erased.isEmpty else { return [] }
        var names: [String] = []
        let bytes = payload.bytes.span
        for (source, range) in [("data", 0..<payload.split), ("metadata", payload.split..<payload.bytes.count)] {
            var members = JSONMembers(of: bytes, in: range, trusted: true)
            while let member = try? members.next(in: bytes) {
                guard payload.erased.contains(member.value.range.lowerBound) else { continue }
                names.append("\(source).\(member.key.string(in: bytes) ?? "?")")
            }
        }
        return names
    }

    private struct SelectDictionary: PostgresStatement {
        let id: Int
        let sql = "select \(DictionaryRow.columns) from dictionaries where id = $1"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(Int16(clamping: id))
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> DictionaryRow { try DictionaryRow(row) }
    }
}
