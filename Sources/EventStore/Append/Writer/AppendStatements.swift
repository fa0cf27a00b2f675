internal import EventModel
internal import FoundationEssentials
internal import PayloadCodec
internal import Postgres

/// Reads what streams hold after a known version, to fill a ``StreamHead``.
struct ReadHeads: PostgresStatement {
    /// One event of one of the streams.
    struct Row {
        let stream: StreamID
        let version: Int
        let id: EventID
        let position: Int64
    }

    /// The streams, each with the last version that is known.
    let streams: [(stream: StreamID, version: Int)]

    let sql = """
        select e.stream_id, e.version, e.event_id, e.position
        from unnest($1::uuid[], $2::integer[]) as wanted(stream_id, version)
        cross join lateral (
            select stream_id, version, event_id, position from events
            where events.stream_id = wanted.stream_id and events.version > wanted.version
            order by version
        ) as e
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(streams.map(\.stream.uuid))
        try parameters.append(streams.map { Int32($0.version) })
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Row {
        Row(
            stream: StreamID(try row.uuid(at: 0)),
            version: try row.decode(Int.self, at: 1),
            id: EventID(try row.uuid(at: 2)),
            position: try row.decode(Int64.self, at: 3)
        )
    }
}

/// Stores a group of events in one statement; returns their positions, in the same order.
struct InsertEvents: PostgresStatement {
    private var occurredAt: PostgresColumn
    private var versions: PostgresColumn
    private var types: PostgresColumn
    private var encodings: PostgresColumn
    private var streams: PostgresColumn
    private var ids: PostgresColumn
    private var payloads: PostgresColumn
    private var subjectStreams: [UUID] = []
    private var subjects: [UUID] = []

    /// - Parameters:
    ///   - rows: The events, in the order in which they are stored.
    ///   - count: How many there are.
    init(_ rows: some Sequence<AppendRound.Row>, count: Int) {
        occurredAt = PostgresColumn(of: .timestamptz, count: count, width: 8)
        versions = PostgresColumn(of: .int4, count: count, width: 4)
        types = PostgresColumn(of: .int2, count: count, width: 2)
        encodings = PostgresColumn(of: .int2, count: count, width: 2)
        streams = PostgresColumn(of: .uuid, count: count, width: 16)
        ids = PostgresColumn(of: .uuid, count: count, width: 16)
        payloads = PostgresColumn(of: .bytea, count: count, width: 256)
        for row in rows { append(row) }
    }

    private mutating func append(_ row: AppendRound.Row) {
        let event = row.parcel.events[row.event]
        occurredAt.append(PostgresTimestamp(unixMicroseconds: event.occurredAt.microseconds))
        versions.append(Int32(row.version))
        types.append(row.type)
        encodings.append(event.encoding.rawValue)
        streams.append(row.stream.uuid)
        ids.append(event.id.uuid)
        let frames = row.parcel.frames
        payloads.append(frames.span, in: event.frame)
        if let subject = event.subject {
            subjectStreams.append(row.stream.uuid)
            subjects.append(subject.uuid)
        }
    }

    /// Notes in the same statement who the starting sessions are about.
    var sql: String {
        subjects.isEmpty ? Self.insert : "\(Self.insert), (select note_subjects($8, $9))::text"
    }

    /// The arrays are unnested side by side in the select list: in FROM, each would be written to a table of its own
    /// first, which costs half a microsecond an event.
    private static let insert = """
        insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload)
        select unnest($1::timestamptz[]), unnest($2::integer[]), unnest($3::smallint[]), unnest($4::smallint[]),
            unnest($5::uuid[]), unnest($6::uuid[]), unnest($7::bytea[])
        returning position
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        for column in [occurredAt, versions, types, encodings, streams, ids, payloads] { try parameters.append(column) }
        guard !subjects.isEmpty else { return }
        try parameters.append(subjectStreams)
        try parameters.append(subjects)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int64 { try row.decode(at: 0) }
}

extension PostgresConnection {
    /// Makes the session's commits wait for the disk if the server's setting is `off`, because what is acknowledged
    /// must be durable. Stronger settings, which also wait for standbys, stay.
    ///
    /// - Returns: When the server was started: one with the same time is the same, and was not restarted.
    /// - Throws: ``PostgresError`` with `.connectionLost` if the server is a standby: what it holds is not yet decided.
    func commitDurably() async throws -> PostgresTimestamp {
        guard let server = try await first(SelectServer()), !server.isStandby else {
            throw PostgresError(.connectionLost, "the server takes no writes now: it is a standby")
        }
        if server.synchronousCommit == "off" { try await set("synchronous_commit", to: "on") }
        return server.startedAt
    }
}

/// Reads what the session's commits wait for, and which server it is.
private struct SelectServer: PostgresStatement {
    struct Row {
        let synchronousCommit: String
        let startedAt: PostgresTimestamp
        let isStandby: Bool
    }

    let sql = "select current_setting('synchronous_commit'), pg_postmaster_start_time(), pg_is_in_recovery()"

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Row {
        Row(
            synchronousCommit: try row.decode(at: 0),
            startedAt: try row.decode(at: 1),
            isStandby: try row.decode(at: 2)
        )
    }
}
