internal import FoundationEssentials
internal import Postgres
internal import Schema

/// Statements by which shards change hands.
enum Lease {
    /// How old an owner's heartbeat may be before others take over, by the database's clock.
    static let lifetime = Duration.seconds(3)

    /// The SQL condition that a moment lies within a lifetime of now, before or after.
    ///
    /// A moment further ahead was recorded before the clock was set back, so its age is unknown. If it counted as
    /// recent, a worker that died before that would count as alive until the clock gets there again.
    static func isRecent(_ moment: String) -> String {
        let lifetime = "interval '\(lifetime.components.seconds) s'"
        return "\(moment) between clock_timestamp() - \(lifetime) and clock_timestamp() + \(lifetime)"
    }

    /// The SQL that selects from the living workers, from the word `from` on.
    private static let living = "from projector_workers where \(isRecent("heartbeat_at"))"

    /// Claims the checkpoints among `wanted` that no other living worker holds, and raises their epochs.
    struct Claim: PostgresStatement {
        let owner: UUID
        let wanted: [ProjectionShard]

        let sql = """
            update projection_checkpoints as c set owner = $1, epoch = epoch + 1
            from unnest($2::text[], $3::integer[], $4::smallint[]) as wanted(projection, version, shard)
            where c.projection = wanted.projection and c.version = wanted.version and c.shard = wanted.shard
                and (c.owner is null or c.owner = $1 or c.owner not in (select id \(living)))
            returning \(Checkpoint.columns)
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(owner)
            try parameters.append(keys: wanted)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Checkpoint { try Checkpoint(row) }
    }

    /// Ends the sessions that have locked checkpoints of dead owners, or of a worker that is on another session by now,
    /// and wait for a client that is stopped.
    ///
    /// A worker that is stopped between two messages of a batch leaves its session in the middle of a pipeline. The
    /// session counts as active, so the time-out of idle transactions does not end it, and it keeps the batch's locks
    /// for as long as its client is stopped. A client that runs sends the next message at once.
    ///
    /// Source: `PostgresMain` in PostgreSQL's `src/backend/tcop/postgres.c`: the time-out is set when the server is
    /// ready for a query, which in a pipeline is only after a Sync.
    struct EndStalled: PostgresStatement {
        /// The worker that asks, outside a transaction.
        let worker: UUID
        let projections: [ProjectionFiles]

        let sql = """
            select pg_terminate_backend(pid) from (
                select distinct session.pid from projection_checkpoints as c
                join pg_stat_activity as session on session.backend_xid = c.xmax
                where (c.projection, c.version) in (select * from unnest($2::text[], $3::integer[]))
                    and (c.owner = $1 or c.owner not in (select id \(living)))
                    and session.usename = current_user and session.pid <> pg_backend_pid()
                    and session.state = 'active' and session.wait_event = 'ClientRead'
                    and not \(isRecent("session.xact_start"))
            ) as stalled
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(worker)
            try parameters.append(projections.map(\.id))
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
    }

    /// Gives checkpoints back.
    struct Release: PostgresStatement {
        let owner: UUID
        let held: [Checkpoint]

        let sql = """
            update projection_checkpoints as c set owner = null
            from unnest($2::text[], $3::integer[], $4::smallint[], $5::bigint[]) as held(projection, version, shard, epoch)
            where c.projection = held.projection and c.version = held.version and c.shard = held.shard
                and c.owner = $1 and c.epoch = held.epoch
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(owner)
            try parameters.append(keys: held.map(\.key))
            try parameters.append(held.map(\.epoch))
        }
    }

    /// Gives back checkpoints that a worker owns in the database but no longer keeps track of.
    ///
    /// No epoch is needed: only the owner claims in its own name, and it has no transaction under way.
    struct ReleaseForgotten: PostgresStatement {
        let owner: UUID
        let forgotten: [ProjectionShard]

        let sql = """
            update projection_checkpoints as c set owner = null
            from unnest($2::text[], $3::integer[], $4::smallint[]) as forgotten(projection, version, shard)
            where c.projection = forgotten.projection and c.version = forgotten.version and c.shard = forgotten.shard
                and c.owner = $1
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(owner)
            try parameters.append(keys: forgotten)
        }
    }

    /// All checkpoints of some projections, with their owners.
    struct Survey: PostgresStatement {
        let projections: [ProjectionFiles]

        let sql = """
            select c.projection, c.version, c.shard, c.shards, c.owner from projection_checkpoints as c
            where (c.projection, c.version) in (select * from unnest($1::text[], $2::integer[]))
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projections.map(\.id))
        }

        func decode(
            _ row: borrowing PostgresRow
        ) throws(PostgresError) -> (key: ProjectionShard, shards: Int, owner: UUID?) {
            (try ProjectionShard(row), try row.decode(at: 3), try row.decode(at: 4))
        }
    }

    /// Records that workers are alive, and what they work on.
    struct Heartbeat: PostgresStatement {
        let workers: [UUID]
        let process: String
        let projections: [ProjectionVersion]

        let sql = """
            insert into projector_workers (id, process, projections) select id, $2, $3 from unnest($1::uuid[]) as mine(id)
            on conflict (id) do update set heartbeat_at = clock_timestamp()
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(workers)
            try parameters.append(process)
            try parameters.append(projections.map(\.description))
        }
    }

    /// The living workers.
    struct Living: PostgresStatement {
        let sql = "select id, projections \(living)"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> LivingWorker {
            LivingWorker(id: try row.decode(at: 0), projections: try row.decode([String]?.self, at: 1).map(Set.init))
        }
    }

    /// Removes workers from the list, and those that have been dead for an hour.
    struct Leave: PostgresStatement {
        let workers: [UUID]

        let sql = """
            delete from projector_workers
            where id = any($1) or heartbeat_at < clock_timestamp() - interval '1 hour'
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(workers) }
    }
}
