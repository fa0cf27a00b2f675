package import EventModel
internal import EventStore
package import Postgres

/// How far one projection is behind the log.
package struct ProjectionStatus: Sendable {
    package let checkpoint: Checkpoint
    /// When the checkpoint last moved.
    package let updatedAt: Timestamp
    /// Committed events that it has not been given; counted up to ``countLimit``.
    package let eventsBehind: Int
    /// How long the oldest of them has been stored; `nil` if there is none.
    package let behind: Duration?

    /// How far events are counted before a status says "or more".
    package static let countLimit = 1_000_000

    /// The status of every projection that has a checkpoint, by name and version.
    ///
    /// - Throws: `PostgresError`.
    package static func all(on pool: PostgresPool) async throws -> [ProjectionStatus] {
        try await pool.query(SelectAll())
    }

    private struct SelectAll: PostgresStatement {
        let sql = """
            select checkpoint.projection, checkpoint.version, checkpoint.shard, checkpoint.old_snapshot,
                checkpoint.new_snapshot, checkpoint.position, checkpoint.events, checkpoint.updated_at,
                lag.events, (extract(epoch from clock_timestamp() - lag.since) * 1000000)::bigint
            from projection_checkpoints as checkpoint
            cross join lateral (
                select count(*) as events, min(recorded_at) as since from (
                    select recorded_at from events
                    where (transaction_id >= pg_snapshot_xmax(coalesce(new_snapshot, old_snapshot, '1:1:'))
                            or transaction_id = any(array(select pg_snapshot_xip(coalesce(new_snapshot, old_snapshot)))))
                        or (new_snapshot is not null and events.position > checkpoint.position
                            and pg_visible_in_snapshot(transaction_id, new_snapshot)
                            and not pg_visible_in_snapshot(transaction_id, coalesce(old_snapshot, '1:1:')))
                    limit \(ProjectionStatus.countLimit)
                ) as waiting
            ) as lag
            order by checkpoint.projection, checkpoint.version, checkpoint.shard
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> ProjectionStatus {
            ProjectionStatus(
                checkpoint: try Checkpoint(row),
                updatedAt: Timestamp(microseconds: try row.decode(PostgresTimestamp.self, at: 7).unixMicroseconds),
                eventsBehind: try row.decode(at: 8),
                behind: try row.decode(Int64?.self, at: 9).map { .microseconds($0) }
            )
        }
    }
}
