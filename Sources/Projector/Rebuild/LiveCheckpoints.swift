internal import EventStore
internal import Postgres
internal import Schema

/// The live checkpoints of a projection's version, as a rebuild sees and replaces them.
enum LiveCheckpoints {
    /// Where each shard stands.
    struct Select: PostgresStatement {
        let projection: ProjectionFiles
        /// Whether to lock the rows until the transaction ends, so that no worker's batch commits meanwhile.
        var isLocking = false

        var sql: String {
            """
            select shard, shards, old_snapshot, new_snapshot, position from projection_checkpoints
            where projection = $1 and version = $2 order by shard \(isLocking ? "for update" : "")
            """
        }

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projection.id)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (shard: Int, shards: Int, cursor: LogCursor)
        {
            (try row.decode(at: 0), try row.decode(at: 1), try LogCursor(row, from: 2))
        }
    }

    /// Moves all shards to where a shadow stands. Raises their epochs, so that the guard of a worker that read them
    /// before fails, and clears their owners.
    struct Replace: PostgresStatement {
        let projection: ProjectionFiles
        let snapshot: PostgresSnapshot
        /// How many events the shadow read for each shard. It reads only those that its projection handles, so a live
        /// shard's count stays if it is larger.
        let events: [Int64]

        let sql = """
            insert into projection_checkpoints as checkpoint
                (projection, version, shard, shards, old_snapshot, events, epoch)
            select $1, $2, number - 1, cardinality($4::bigint[]), $3, given, 1
            from unnest($4::bigint[]) with ordinality as shard(given, number)
            on conflict (projection, version, shard) do update set
                shards = excluded.shards, old_snapshot = excluded.old_snapshot, new_snapshot = null, position = 0,
                events = greatest(checkpoint.events, excluded.events), epoch = checkpoint.epoch + 1, owner = null, error = null, error_at = null,
                updated_at = clock_timestamp()
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projection.id)
            try parameters.append(snapshot)
            try parameters.append(events)
        }
    }

    /// Deletes a version's checkpoints and stopped streams. Waits for the batches under way.
    struct Delete: PostgresStatement {
        let projection: ProjectionFiles

        let sql = """
            with quarantine as (delete from projection_quarantine where projection = $1 and version = $2)
            delete from projection_checkpoints where projection = $1 and version = $2
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projection.id)
        }
    }
}
