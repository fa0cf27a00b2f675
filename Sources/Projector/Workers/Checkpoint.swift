package import EventStore
internal import FoundationEssentials
internal import Postgres
internal import Schema

/// How far one shard of a projection is, and whose it is.
///
/// It changes in the transaction that changes the read model, and only under the epoch and from the cursor that the
/// transaction began with, so that two workers can never both count the same events.
package struct Checkpoint: Hashable, Sendable {
    package let key: ProjectionShard
    /// How many shards this version of the projection has.
    package let shards: Int
    package let cursor: LogCursor
    /// How many events the shard has been given so far.
    package let events: Int64
    /// Raised by each claim.
    package let epoch: Int64

    /// The columns that ``init(_:)`` reads, in its order, of a checkpoint named `c`.
    static let columns =
        "c.projection, c.version, c.shard, c.shards, c.old_snapshot, c.new_snapshot, c.position, c.events, c.epoch"

    init(_ row: borrowing PostgresRow) throws(PostgresError) {
        key = try ProjectionShard(row)
        shards = try row.decode(at: 3)
        cursor = try LogCursor(row, from: 4)
        events = try row.decode(at: 7)
        epoch = try row.decode(at: 8)
    }

    /// The same checkpoint at another cursor.
    init(_ checkpoint: Checkpoint, cursor: LogCursor, events: Int64) {
        key = checkpoint.key
        shards = checkpoint.shards
        epoch = checkpoint.epoch
        self.cursor = cursor
        self.events = events
    }

    /// Creates the checkpoints of versions that have none, at the beginning of the log.
    ///
    /// If two projectors begin at once with different numbers of shards, the one that stores the first shard wins: the
    /// other waits for that row, and adds none.
    struct Create: PostgresStatement {
        let projections: [ProjectionFiles]
        /// How many shards each version gets, unless it declares a lower maximum.
        let shards: Int

        let sql = """
            with first as (
                insert into projection_checkpoints (projection, version, shard, shards)
                select new.name, new.version, 0, new.shards
                from unnest($1::text[], $2::integer[], $3::smallint[]) as new(name, version, shards)
                where not exists (
                    select from projection_checkpoints as c where c.projection = new.name and c.version = new.version
                )
                order by new.name, new.version
                on conflict do nothing
                returning projection, version, shards
            )
            insert into projection_checkpoints (projection, version, shard, shards)
            select projection, version, shard, shards from first, generate_series(1, shards - 1) as shard
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projections.map(\.id))
            try parameters.append(projections.map { Int16(min(shards, $0.mostShards ?? shards)) })
        }
    }

    /// Moves checkpoints to a cursor, but only those that the worker still holds under their epoch and that have not
    /// moved: under one epoch, the same count of events means the same checkpoint. (Comparing the cursors themselves,
    /// as text, took half of the statement's time.)
    ///
    /// Each row is found by its key. With a join, a planner that does not know how many rows move would read all
    /// checkpoints every time. Owner, epoch and count are checked on the row that is updated, which may be newer than
    /// the one found.
    struct Advance: PostgresStatement {
        let owner: UUID
        let checkpoints: [Checkpoint]
        let cursor: LogCursor
        /// How many events each was given.
        let given: [Int]

        var sql: String { checkpoints.count == 1 ? Self.one : Self.many }

        private static let one = """
            update projection_checkpoints as c
            set old_snapshot = $1, new_snapshot = $2, position = $3, events = c.events + ($9::bigint[])[1],
                updated_at = clock_timestamp(), error = null, error_at = null
            where c.projection = ($4::text[])[1] and c.version = ($5::integer[])[1] and c.shard = ($6::smallint[])[1]
                and c.owner = $10 and c.epoch = ($7::bigint[])[1] and c.events = ($8::bigint[])[1]
            """

        private static let many = """
            update projection_checkpoints as c
            set old_snapshot = $1, new_snapshot = $2, position = $3, events = c.events + moved.given,
                updated_at = clock_timestamp(), error = null, error_at = null
            from (
                select unnest($4::text[]) as projection, unnest($5::integer[]) as version, unnest($6::smallint[]) as shard,
                    unnest($7::bigint[]) as epoch, unnest($8::bigint[]) as events, unnest($9::bigint[]) as given
            ) as moved
            cross join lateral (
                select ctid from projection_checkpoints as k
                where k.projection = moved.projection and k.version = moved.version and k.shard = moved.shard limit 1
            ) as found
            where c.ctid = found.ctid and c.owner = $10 and c.epoch = moved.epoch and c.events = moved.events
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(cursor)
            try parameters.append(keys: checkpoints.map(\.key))
            try parameters.append(checkpoints.map(\.epoch))
            try parameters.append(checkpoints.map(\.events))
            try parameters.append(given)
            try parameters.append(owner)
        }
    }
}

extension Checkpoint {
    /// Like ``Advance``, but fails by itself unless it moves all of them, so that the statements after it can be sent,
    /// and the transaction committed, without looking at its result.
    struct GuardedAdvance: PostgresStatement {
        let advance: Advance

        /// The SQLSTATE of that failure, raised by the function `checkpoints_moved` of the migrations.
        static let refusal = "RP001"

        var sql: String {
            """
            with moved as (\(advance.sql) returning 1)
            select checkpoints_moved(n, $11) from (select count(*) as n from moved) as counted where n <> $11
            """
        }

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try advance.bind(&parameters)
            try parameters.append(advance.checkpoints.count)
        }
    }

    /// Records why a projection's SQL failed, for the status.
    struct Fail: PostgresStatement {
        let owner: UUID
        let keys: [ProjectionShard]
        let error: String

        let sql = """
            update projection_checkpoints as c set error = $5, error_at = clock_timestamp()
            from unnest($1::text[], $2::integer[], $3::smallint[]) as failed(projection, version, shard)
            where c.projection = failed.projection and c.version = failed.version and c.shard = failed.shard and c.owner = $4
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(keys: keys)
            try parameters.append(owner)
            try parameters.append(error)
        }
    }
}
