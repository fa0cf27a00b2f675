package import EventStore
internal import Postgres

/// How far one projection is. It changes in the transaction that changes the read model, and only from the value that the
/// transaction began with, so that two projectors can never both count the same events.
package struct Checkpoint: Hashable, Sendable {
    package let projection: String
    package let version: Int
    package let shard: Int
    package let cursor: LogCursor
    /// How many events the projection has been given so far.
    package let events: Int64

    /// Reads the first seven columns of a row as ``Load`` selects them.
    init(_ row: borrowing PostgresRow) throws(PostgresError) {
        projection = try row.decode(at: 0)
        version = try row.decode(at: 1)
        shard = try row.decode(at: 2)
        let delivered = try row.decode(PostgresSnapshot?.self, at: 3) ?? .beginning
        let end = try row.decode(PostgresSnapshot?.self, at: 4)
        let position = try row.decode(Int64.self, at: 5)
        cursor = LogCursor(delivered: delivered, window: end.map { .init(end: $0, position: position) })
        events = try row.decode(at: 6)
    }

    /// Reads the checkpoints of some projections.
    struct Load: PostgresStatement {
        let projections: [Projection]

        let sql = """
            select projection, version, shard, old_snapshot, new_snapshot, position, events
            from projection_checkpoints
            where (projection, version) in (select * from unnest($1::text[], $2::integer[])) and shard = 0
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projections.map(\.name))
            try parameters.append(projections.map { Int32($0.version) })
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Checkpoint { try Checkpoint(row) }
    }

    /// Creates the checkpoints that are not there, at the beginning of the log.
    struct Create: PostgresStatement {
        let projections: [Projection]

        let sql = """
            insert into projection_checkpoints (projection, version, shard)
            select name, version, 0 from unnest($1::text[], $2::integer[]) as new(name, version)
            on conflict do nothing
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projections.map(\.name))
            try parameters.append(projections.map { Int32($0.version) })
        }
    }

    /// Moves checkpoints that stand at one cursor to the next; touches only those that still stand there.
    struct Advance: PostgresStatement {
        let checkpoints: [Checkpoint]
        let cursor: LogCursor
        /// How many events each was given.
        let events: [Int]

        let sql = """
            update projection_checkpoints as checkpoint
            set old_snapshot = $5, new_snapshot = $6, position = $7, events = checkpoint.events + moved.given,
                updated_at = clock_timestamp()
            from unnest($1::text[], $2::integer[], $3::smallint[], $4::bigint[]) as moved(projection, version, shard, given)
            where checkpoint.projection = moved.projection and checkpoint.version = moved.version
                and checkpoint.shard = moved.shard
                and coalesce(checkpoint.old_snapshot, '1:1:')::text = $8
                and coalesce(checkpoint.new_snapshot::text, '') = $9 and checkpoint.position = $10
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(checkpoints.map(\.projection))
            try parameters.append(checkpoints.map { Int32($0.version) })
            try parameters.append(checkpoints.map { Int16($0.shard) })
            try parameters.append(events)
            try parameters.append(cursor.delivered)
            try parameters.append(cursor.window?.end)
            try parameters.append(cursor.window?.position ?? 0)
            let before = checkpoints.first?.cursor ?? .beginning
            try parameters.append(before.delivered.description)
            try parameters.append(before.window?.end.description ?? "")
            try parameters.append(before.window?.position ?? 0)
        }
    }
}
