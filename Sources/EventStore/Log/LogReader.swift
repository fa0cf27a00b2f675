package import Postgres

/// Reads the log in the order that subscriptions promise: each committed event once, each stream by version.
///
/// A batch is read in a REPEATABLE READ transaction. What that transaction's snapshot sees and the cursor's does not is
/// new, however early its writers took their transaction ids or positions, and whatever other transactions are open.
package enum LogReader {
    /// The result of one read.
    package struct Batch: Sendable {
        /// The events, by position: as many as fit into memory together.
        package let events: [StoredEvent]
        /// The cursor after them.
        package let cursor: LogCursor
        /// The end of the write-ahead log when the cursor's snapshot was taken;
        /// `nil` if it was taken by an earlier read.
        var written: Int64?
        /// The key generation that this transaction sees; `nil` if it was not read.
        package var generation: Int64?
    }

    /// Settings of a session that reads the log: plans use the indexes even while the table is young, and no parallel
    /// workers, which take longer to start than a batch takes to read.
    package static let sessionSettings = ["enable_seqscan": "off", "max_parallel_workers_per_gather": "0"]

    /// Reads the next events after a cursor, for a reader that keeps its cursor in the same database.
    ///
    /// If the database crashes, such a cursor goes back with it. For one that does not, see
    /// ``readOut(on:after:limit:)``.
    ///
    /// - Parameters:
    ///   - connection: In a REPEATABLE READ transaction that has read nothing yet.
    ///   - limit: How many events at most.
    ///   - shards: Whose streams to read; all of them if `nil`.
    ///   - types: Which types to read; all of them if `nil`.
    /// - Returns: The events. None at the head, with the cursor of this moment; none also where a long stretch holds
    ///   nothing of those shards and types, with a cursor that has a window, from which to read on.
    package static func read(
        on connection: isolated PostgresConnection,
        after cursor: LogCursor,
        limit: Int,
        shards: ShardSet? = nil,
        types: EventTypeFilter? = nil
    ) async throws -> Batch {
        let part = LogPart(shards: shards, types: types)
        if let window = cursor.window {
            return try await WindowWalk(old: cursor.delivered, window: window, limit: limit, part: part)
                .next(on: connection)
        }
        if cursor == .beginning {
            guard let now = try await connection.first(CurrentSnapshot()) else {
                return Batch(events: [], cursor: cursor)
            }
            let window = LogCursor.Window(end: now.snapshot, position: 0)
            var batch = try await WindowWalk(old: cursor.delivered, window: window, limit: limit, part: part)
                .next(on: connection)
            batch.written = now.written
            batch.generation = now.generation
            return batch
        }
        let (snapshots, events) = try await connection.pipeline(
            CurrentSnapshot(),
            ReadNew(old: cursor.delivered, limit: limit, part: part)
        )
        guard let now = snapshots.first else { return Batch(events: [], cursor: cursor) }
        var batch = batch(
            events,
            from: cursor.delivered,
            to: now.snapshot,
            reaching: LogCursor(delivered: now.snapshot),
            limit: limit
        )
        batch.written = now.written
        batch.generation = now.generation
        return batch
    }

    /// The events that were read between two snapshots, as far as they fit into memory.
    ///
    /// - Parameter reached: The cursor to return if all of them fit.
    static func batch(
        _ events: [StoredEvent],
        from delivered: PostgresSnapshot,
        to end: PostgresSnapshot,
        reaching reached: LogCursor,
        limit: Int
    ) -> Batch {
        let fitting = events.fitting
        guard events.count >= limit || fitting.count < events.count, let last = fitting.last else {
            return Batch(events: events, cursor: reached)
        }
        let window = LogCursor.Window(end: end, position: last.position)
        return Batch(events: fitting, cursor: LogCursor(delivered: delivered, window: window))
    }

    /// Selects the snapshot of this transaction, how far the write-ahead log was written then, and the key generation
    /// that it sees.
    package struct CurrentSnapshot: PostgresStatement {
        package let sql = """
            select pg_current_snapshot(),
                case when not pg_is_in_recovery() then (pg_current_wal_insert_lsn() - '0/0')::bigint end,
                (select generation from sealing)
            """

        package init() {}

        package func decode(
            _ row: borrowing PostgresRow
        ) throws(PostgresError) -> (snapshot: PostgresSnapshot, written: Int64, generation: Int64?) {
            guard let written = try row.decode(Int64?.self, at: 1) else { throw .standby }
            return (try row.decode(at: 0), written, try row.decode(at: 2))
        }
    }

    /// Selects what this transaction sees and the old snapshot does not: its transaction was active then, or had not
    /// begun.
    ///
    /// The active transactions are looked up by id instead of reading again from the oldest on, so a transaction that
    /// stays open for hours costs nothing.
    struct ReadNew: PostgresStatement {
        let old: PostgresSnapshot
        let limit: Int
        let part: LogPart

        /// Usually no transaction was active; each partition then needs one scan instead of two.
        var sql: String {
            let wasActive = old.active.isEmpty ? "" : "or transaction_id = any($2::xid8[])"
            return """
                select \(StoredEvent.columns) from events
                where (transaction_id >= $1 \(wasActive)) \(part.condition(from: 4))
                order by position limit $3
                """
        }

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(PostgresXID8(old.xmax))
            try parameters.append(old.active.map(PostgresXID8.init))
            try parameters.append(limit)
            try part.bind(&parameters)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StoredEvent { try StoredEvent(row) }
    }
}

extension PostgresError {
    /// The refusal of a standby: a snapshot there does not say which transactions are still running, and what another
    /// server delivered may not have arrived, so a cursor would skip events.
    static let standby = {
        var error = PostgresError(.connectionFailed, "the server is a standby, where the log cannot be followed")
        error.hint = "connect to the primary, as target_session_attrs=read-write does"
        return error
    }()
}
