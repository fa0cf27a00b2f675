package import EventModel
internal import EventStore
internal import FoundationEssentials
package import Postgres
package import Schema

/// An event that a projection cannot apply, and why.
struct FailingEvent {
    let event: StoredEvent
    let type: String
    /// What failed, without the payload.
    let reason: String
}

extension PostgresParameters {
    /// Appends five values: the stream, the event's id and version, its type, and the reason.
    mutating func append(_ failing: FailingEvent) throws(PostgresError) {
        try append(failing.event.stream.uuid)
        try append(failing.event.id.uuid)
        try append(Int32(failing.event.version))
        try append(failing.type)
        try append(failing.reason)
    }
}

/// A stream that a projection has stopped at a failing event.
package struct QuarantinedStream: Sendable {
    package let key: ProjectionShard
    package let stream: StreamID
    package let event: EventID
    package let eventVersion: Int
    package let eventType: String
    package let error: String
    package let attempts: Int
    package let since: Timestamp
    package let isRetryRequested: Bool

    static let columns = """
        q.projection, q.version, q.shard, q.stream_id, q.event_id, q.event_version, q.event_type, q.error, q.attempts, \
        q.since, q.retry_requested_at is not null
        """

    init(_ row: borrowing PostgresRow) throws(PostgresError) {
        key = try ProjectionShard(row)
        stream = StreamID(try row.decode(UUID.self, at: 3))
        event = EventID(try row.decode(UUID.self, at: 4))
        eventVersion = try row.decode(at: 5)
        eventType = try row.decode(at: 6)
        error = try row.decode(at: 7)
        attempts = try row.decode(at: 8)
        since = Timestamp(microseconds: try row.decode(PostgresTimestamp.self, at: 9).unixMicroseconds)
        isRetryRequested = try row.decode(at: 10)
    }
}

extension QuarantinedStream {
    /// All streams in quarantine, by projection and time.
    ///
    /// - Throws: `PostgresError`.
    package static func all(on pool: PostgresPool) async throws -> [QuarantinedStream] {
        try await pool.query(Quarantine.SelectAll())
    }

    /// How many streams stand in quarantine, by the version of a projection; those that have none are not among them.
    ///
    /// - Throws: `PostgresError`.
    package static func counts(on pool: PostgresPool) async throws -> [ProjectionVersion: Int] {
        Dictionary(uniqueKeysWithValues: try await pool.query(Quarantine.Count()))
    }

    /// Asks the owners to try streams again.
    ///
    /// - Parameters:
    ///   - projection: Of which projection; `nil` for all.
    ///   - stream: Which stream; `nil` for all.
    /// - Returns: How many streams were asked for.
    /// - Throws: `PostgresError`.
    package static func requestRetry(
        of projection: String?,
        stream: StreamID?,
        on pool: PostgresPool
    ) async throws -> Int {
        try await pool.execute(Quarantine.RequestRetry(projection: projection, stream: stream))
    }
}

/// Statements on the streams that projections have stopped.
enum Quarantine {
    /// The stopped streams of some shards.
    struct Select: PostgresStatement {
        let keys: [ProjectionShard]

        let sql = """
            select \(QuarantinedStream.columns) from projection_quarantine as q
            where (q.projection, q.version, q.shard) in (select * from unnest($1::text[], $2::integer[], $3::smallint[]))
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(keys: keys) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> QuarantinedStream {
            try QuarantinedStream(row)
        }
    }

    /// All stopped streams.
    struct SelectAll: PostgresStatement {
        let sql = """
            select \(QuarantinedStream.columns) from projection_quarantine as q
            order by q.projection, q.version, q.since, q.stream_id
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> QuarantinedStream {
            try QuarantinedStream(row)
        }
    }

    /// How many streams each version of a projection has stopped.
    struct Count: PostgresStatement {
        let sql = "select projection, version, count(*) from projection_quarantine group by projection, version"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (ProjectionVersion, Int) {
            (try ProjectionVersion(row), try row.decode(at: 2))
        }
    }

    /// Stops a stream, or says that its retry failed.
    struct Stop: PostgresStatement {
        let key: ProjectionShard
        let failing: FailingEvent

        let sql = """
            insert into projection_quarantine as q
                (projection, version, shard, stream_id, event_id, event_version, event_type, error)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (projection, version, stream_id) do update set
                event_id = excluded.event_id, event_version = excluded.event_version, event_type = excluded.event_type,
                error = excluded.error, attempts = q.attempts + 1, last_tried_at = clock_timestamp(),
                retry_requested_at = null
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(key.projection)
            try parameters.append(Int16(key.shard))
            try parameters.append(failing)
        }
    }

    /// Lets a stream go on.
    struct Lift: PostgresStatement {
        let key: ProjectionShard
        let stream: StreamID
        let sql = "delete from projection_quarantine where projection = $1 and version = $2 and stream_id = $3"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(key.projection)
            try parameters.append(stream.uuid)
        }
    }

    /// Says that a retry failed for a reason that is not the stream's; it is tried again when it is asked for again.
    struct FailRetry: PostgresStatement {
        let key: ProjectionShard
        let stream: StreamID
        let error: String

        let sql = """
            update projection_quarantine set
                error = $4, attempts = attempts + 1, last_tried_at = clock_timestamp(), retry_requested_at = null
            where projection = $1 and version = $2 and stream_id = $3
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(key.projection)
            try parameters.append(stream.uuid)
            try parameters.append(error)
        }
    }

    /// Asks the owners to try stopped streams again.
    struct RequestRetry: PostgresStatement {
        let projection: String?
        let stream: StreamID?

        let sql = """
            update projection_quarantine set retry_requested_at = clock_timestamp()
            where ($1::text is null or projection = $1) and ($2::uuid is null or stream_id = $2)
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projection)
            try parameters.append(stream?.uuid)
        }
    }
}
