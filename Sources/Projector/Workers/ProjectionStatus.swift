package import EventModel
internal import EventStore
package import FoundationEssentials
package import Postgres

/// How far one shard of a projection is behind the log, and who works on it.
package struct ProjectionStatus: Sendable {
    package let key: ProjectionShard
    /// How many events the shard has been given so far.
    package let events: Int64
    /// The worker that holds it; `nil` if no living one does.
    package let owner: UUID?
    /// The owner's process, `host:pid`.
    package let process: String?
    /// When the checkpoint last moved.
    package let updatedAt: Timestamp
    /// How long ago that was, by the database's clock.
    package let sinceMoved: Duration
    /// Committed events that it has not been given; counted up to ``countLimit``.
    package let eventsBehind: Int
    /// How long the oldest of them has been stored; `nil` if there is none.
    package let behind: Duration?
    /// How many of its streams are in quarantine.
    package let stoppedStreams: Int
    /// Why the projection's SQL failed, if it does.
    package let error: String?
    /// How many transactions were open when it last read. Each read looks them up by their numbers until they end,
    /// which is what a long transaction costs.
    package let openTransactions: Int
    /// Events given to it per second; `nil` if that was not measured.
    package var rate: Double?

    /// How long it takes to catch up at the measured rate; `nil` if that is unknown or it stands still.
    package var timeToCatchUp: Duration? { rate.flatMap { Duration(of: eventsBehind, at: $0) } }

    /// Whether events have waited for longer than any batch takes while nothing moved.
    package var isStuck: Bool { min(behind ?? .zero, sinceMoved) > .seconds(30) }

    /// How far events are counted, over all shards that stand at one cursor.
    package static let countLimit = 1_000_000

    /// The status of every shard of every projection, by name, version and shard.
    ///
    /// - Throws: `PostgresError`.
    package static func all(on pool: PostgresPool) async throws -> [ProjectionStatus] {
        try await pool.query(Select(until: nil))
    }

    /// The names of all projections that a projector has ever worked on.
    ///
    /// - Throws: `PostgresError`.
    package static func names(on pool: PostgresPool) async throws -> Set<String> {
        Set(try await pool.query(SelectNames()))
    }

    private struct SelectNames: PostgresStatement {
        let sql = "select distinct projection from projection_checkpoints"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }

    /// Reads the status; counts only what a snapshot sees, if one is given.
    struct Select: PostgresStatement {
        let until: PostgresSnapshot?

        let sql = """
            with places as (
                select distinct shards, old_snapshot::text as old, new_snapshot::text as new, position
                from projection_checkpoints
            ), waiting as (
                select place.*, lag.shard, lag.events, lag.since
                from places as place
                cross join lateral (
                    select stream_shard(stream_id, place.shards) as shard, count(*) as events, min(recorded_at) as since
                    from (
                        select stream_id, recorded_at from events
                        where ((transaction_id >= pg_snapshot_xmax(coalesce(place.new, place.old, '1:1:')::pg_snapshot)
                                or transaction_id = any(array(
                                    select pg_snapshot_xip(coalesce(place.new, place.old, '1:1:')::pg_snapshot))))
                            or (place.new is not null and events.position > place.position
                                and pg_visible_in_snapshot(transaction_id, place.new::pg_snapshot)
                                and not pg_visible_in_snapshot(
                                    transaction_id, coalesce(place.old, '1:1:')::pg_snapshot)))
                            and ($1::pg_snapshot is null or pg_visible_in_snapshot(transaction_id, $1))
                        limit \(ProjectionStatus.countLimit)
                    ) as unseen
                    group by 1
                ) as lag
            )
            select c.projection, c.version, c.shard, c.events, w.id, w.process, c.updated_at, coalesce(waiting.events, 0),
                (extract(epoch from clock_timestamp() - waiting.since) * 1000000)::bigint,
                (select count(*) from projection_quarantine as q
                    where q.projection = c.projection and q.version = c.version and q.shard = c.shard), c.error,
                (select count(*) from pg_snapshot_xip(coalesce(c.new_snapshot, c.old_snapshot))),
                (extract(epoch from clock_timestamp() - c.updated_at) * 1000000)::bigint
            from projection_checkpoints as c
            left join projector_workers as w on w.id = c.owner
                and \(Lease.isRecent("w.heartbeat_at"))
            left join waiting on waiting.shards = c.shards and waiting.shard = c.shard and waiting.position = c.position
                and waiting.old is not distinct from c.old_snapshot::text
                and waiting.new is not distinct from c.new_snapshot::text
            order by c.projection, c.version, c.shard
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(until) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> ProjectionStatus {
            ProjectionStatus(
                key: try ProjectionShard(row),
                events: try row.decode(at: 3),
                owner: try row.decode(at: 4),
                process: try row.decode(at: 5),
                updatedAt: Timestamp(microseconds: try row.decode(PostgresTimestamp.self, at: 6).unixMicroseconds),
                sinceMoved: .microseconds(try row.decode(Int64.self, at: 12)),
                eventsBehind: try row.decode(at: 7),
                behind: try row.decode(Int64?.self, at: 8).map { .microseconds($0) },
                stoppedStreams: try row.decode(at: 9),
                error: try row.decode(at: 10),
                openTransactions: try row.decode(at: 11)
            )
        }
    }
}
