package import Postgres

/// Reading for cursors that outlive what the database remembers.
///
/// A transaction that rolled back, that committed with `synchronous_commit` off, or that only sent a notification has
/// ended, although its end may not be on disk. If the server crashes then, it forgets the transaction and gives its id
/// to another one (the next id is what the log on disk says; source: `StartupXLOG` and
/// `AdvanceNextFullTransactionIdPastXid` in PostgreSQL's `src/backend/access/transam`). A cursor that claims to have
/// seen that id would miss the new transaction's events. So a cursor that leaves the database claims only what is on
/// disk, and beyond that only the transactions whose events it delivers.
extension LogReader {
    /// How many transactions a cursor may name one by one before it waits for the disk instead.
    private static let mostActive = 256
    /// How long to wait before checking the disk again.
    private static let pause = Duration.milliseconds(2)

    /// Reads the next events after a cursor, for a reader that keeps its cursor outside the database.
    ///
    /// - Parameters:
    ///   - connection: In no transaction.
    ///   - limit: How many events at most.
    /// - Returns: The events; none when the cursor is at the head.
    package static func readOut(
        on connection: PostgresConnection,
        after cursor: LogCursor,
        limit: Int
    ) async throws -> Batch {
        let batch = try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
            var batch = try await read(on: connection, after: cursor, limit: limit)
            guard batch.cursor.window == nil, let written = batch.written else { return batch }
            guard try await !isOnDisk(written, on: connection) else {
                batch.written = nil
                return batch
            }
            let old = cursor.delivered
            let ids =
                batch.events.isEmpty ? [] : try await connection.query(NewTransactions(old: old)).map(\.value)
            guard let delivered = old.adding(ids, atMost: mostActive) else { return batch }
            return Batch(events: batch.events, cursor: LogCursor(delivered: delivered))
        }
        if let written = batch.written { try await bringToDisk(written, on: connection) }
        return batch
    }

    /// The cursor after everything that is committed now.
    ///
    /// - Parameter connection: In no transaction.
    package static func head(on connection: PostgresConnection) async throws -> LogCursor {
        guard let now = try await connection.first(CurrentSnapshot()) else { return .beginning }
        try await bringToDisk(now.written, on: connection)
        return LogCursor(delivered: now.snapshot)
    }

    /// Waits until the write-ahead log is on disk up to where it was written.
    ///
    /// Has the server write it. Unasked, the server writes whole pages and what was committed: what an open transaction
    /// has written last, in whatever database, stays unwritten for a quarter of a minute.
    private static func bringToDisk(_ written: Int64, on connection: PostgresConnection) async throws {
        guard try await !isOnDisk(written, on: connection) else { return }
        do {
            _ = try await connection.first(FlushLog())
        } catch let error as PostgresError where error.isPermissionDenied {
            // Then the server writes it when it does.
        }
        while try await !isOnDisk(written, on: connection) { try await Task.sleep(for: pause) }
    }

    /// Commits a message that nobody reads, and waits until that is on disk, with all that was written before.
    private struct FlushLog: PostgresStatement {
        let sql = """
            select set_config('synchronous_commit', 'local', true), pg_logical_emit_message(true, 'recorder', '')
            """
    }

    /// Whether the write-ahead log is on disk up to where it was written.
    static func isOnDisk(_ written: Int64, on connection: PostgresConnection) async throws -> Bool {
        try await connection.first(FlushedUpTo(written: written)) ?? true
    }

    private struct FlushedUpTo: PostgresStatement {
        let written: Int64
        /// If a record ends where its page does, the write position lies after the next page's header (24 bytes, or 40
        /// at the beginning of a file; source: `xlog_internal.h`), but the flush position lies before it.
        let sql = """
            select (pg_current_wal_flush_lsn() - '0/0')::bigint >= $1::bigint - case
                when $1::bigint % pg_size_bytes(current_setting('wal_segment_size')) = 40 then 40
                when $1::bigint % current_setting('wal_block_size')::bigint = 24 then 24
                else 0 end
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(written) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
    }

    /// Selects the transactions whose events this transaction sees and the old snapshot does not.
    private struct NewTransactions: PostgresStatement {
        let old: PostgresSnapshot
        let sql = """
            select distinct transaction_id from events
            where transaction_id >= $1 or transaction_id = any($2::xid8[])
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(PostgresXID8(old.xmax))
            try parameters.append(old.active.map(PostgresXID8.init))
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> PostgresXID8 { try row.decode(at: 0) }
    }
}
