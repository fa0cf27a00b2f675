internal import EventModel
internal import EventStore
internal import FoundationEssentials
internal import Postgres
internal import Schema

/// Statements on the streams that a shadow has stopped at an event that it cannot apply.
enum ShadowQuarantine {
    /// The stopped streams of some shadows with one purpose.
    struct Select: PostgresStatement {
        let models: [ShadowModel]

        let sql = """
            select projection, stream_id from projection_rebuild_quarantine
            join unnest($1::text[], $2::integer[]) as shadow(projection, version) using (projection, version)
            where purpose = $3
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(models.map(\.files.id))
            try parameters.append(models.first?.purpose.rawValue)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (projection: String, stream: StreamID) {
            (try row.decode(at: 0), StreamID(try row.decode(UUID.self, at: 1)))
        }
    }

    /// Stops a stream.
    struct Stop: PostgresStatement {
        let model: ShadowModel
        let shard: Int
        let failing: FailingEvent

        let sql = """
            insert into projection_rebuild_quarantine
                (projection, version, purpose, shard, stream_id, event_id, event_version, event_type, error)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(model)
            try parameters.append(Int16(shard))
            try parameters.append(failing)
        }
    }

    /// Replaces the live model's stopped streams with the shadow's.
    struct TakeOver: PostgresStatement {
        let model: ShadowModel

        let sql = """
            with ended as (
                delete from projection_quarantine as live where projection = $1 and version = $2 and not exists (
                    select from projection_rebuild_quarantine as shadow
                    where shadow.projection = $1 and shadow.version = $2 and shadow.purpose = $3
                        and shadow.stream_id = live.stream_id
                )
            )
            insert into projection_quarantine as live
                (projection, version, shard, stream_id, event_id, event_version, event_type, error)
            select projection, version, shard, stream_id, event_id, event_version, event_type, error
            from projection_rebuild_quarantine where projection = $1 and version = $2 and purpose = $3
            on conflict (projection, version, stream_id) do update set
                event_id = excluded.event_id, event_version = excluded.event_version, event_type = excluded.event_type,
                error = excluded.error, last_tried_at = clock_timestamp()
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(model) }
    }
}
