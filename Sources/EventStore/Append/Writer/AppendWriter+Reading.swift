internal import EventModel
internal import Postgres

/// Asks the database for what a writer needs before it can decide about a group.
extension AppendWriter {
    /// Learns the ids of all event types in a group; new types get an id.
    mutating func internTypes(
        of requests: [AppendRequest],
        on connection: isolated PostgresConnection
    ) async throws {
        let unknown = unknownTypes(of: requests)
        guard !unknown.isEmpty else { return }
        try await types.intern(unknown, on: connection)
    }

    /// Finds the event types whose ids are not known.
    func unknownTypes(of requests: [AppendRequest]) -> Set<EventType> {
        var unknown: Set<EventType> = []
        for request in requests {
            for part in request.parts {
                for event in request.events(of: part) where types[event.type] == nil { unknown.insert(event.type) }
            }
        }
        return unknown
    }

    /// Finds the streams that must be read because nothing is known of them.
    ///
    /// A stream whose first append starts a session is assumed to be empty: if it is not, its key refuses version 1,
    /// and the stream is read then.
    mutating func unknownStreams(of requests: [AppendRequest]) -> Set<StreamID> {
        var unknown: Set<StreamID> = []
        for request in requests {
            for part in request.parts where heads.slot(of: part.stream) == nil {
                let isStart = request.events(of: part).first?.type == .sessionStarted
                if trustsStarts, isStart, !unknown.contains(part.stream) {
                    heads.open(part.stream)
                } else {
                    unknown.insert(part.stream)
                }
            }
        }
        return unknown
    }

    /// Reads what streams hold after what is known of them.
    ///
    /// - Parameter fresh: The set to which the streams that were read are added.
    mutating func read(
        _ streams: Set<StreamID>,
        fresh: inout Set<StreamID>,
        on connection: isolated PostgresConnection
    ) async throws {
        guard !streams.isEmpty else { return }
        let wanted = streams.map { stream in
            (stream: stream, version: heads.slot(of: stream).map { heads[$0].version } ?? 0)
        }
        let rows = try await connection.query(ReadHeads(streams: wanted))
        if rows.isEmpty { trustsStarts = true }
        for stream in streams { heads.open(stream) }
        for row in rows {
            let slot = heads.open(row.stream)
            guard row.version == heads[slot].version + 1 else {
                throw EventStoreError(
                    .corruptEvent,
                    "stream \(row.stream) holds version \(row.version), but not all versions before: somebody wrote it by "
                        + "other means than an appender or append_event",
                    stream: row.stream
                )
            }
            heads[slot].append(row.id, position: row.position)
        }
        fresh.formUnion(streams)
    }
}
