internal import EventModel
internal import Postgres
internal import Schema

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

    /// Stops a stream, or records that its retry failed.
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

    /// Records that a retry failed for a reason that is not the stream's; to try it again takes another request.
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
