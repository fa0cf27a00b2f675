internal import EventStore
internal import Postgres
internal import Schema

/// The live checkpoints of a projection's version, as a rebuild sees and replaces them.
enum LiveCheckpoints {
    /// Where each shard stands.
    struct Select: PostgresStatement {
        let projection: ProjectionFiles
        /// Whether to hold them until the transaction ends: no worker's batch commits meanwhile.
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

    /// Puts all shards where a shadow stands. Raises their epochs, so that a worker which read them before finds its
    /// guard gone, and takes no owner over.
    struct Replace: PostgresStatement {
        let projection: ProjectionFiles
        let snapshot: PostgresSnapshot
        /// How many events each shard was given. A shadow reads only those that it handles: what a live shard has
        /// counted of all events stands.
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

    /// Forgets a version's checkpoints. Waits for the batches under way.
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
