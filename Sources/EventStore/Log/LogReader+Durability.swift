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
    /// How long to wait before checking the disk again; the server's own WAL writer flushes every 200 ms.
    private static let pause = Duration.milliseconds(2)

    /// Reads the next events after a cursor, for a reader that keeps its cursor outside the database.
    ///
    /// - Parameters:
    ///   - connection: In a REPEATABLE READ transaction that has read nothing yet.
    ///   - limit: How many events at most.
    /// - Returns: The events; none when the cursor is at the head.
    package static func readOut(
        on connection: isolated PostgresConnection,
        after cursor: LogCursor,
        limit: Int
    ) async throws -> Batch {
        let batch = try await read(on: connection, after: cursor, limit: limit)
        guard let written = batch.written, try await !isOnDisk(written, on: connection) else { return batch }
        if batch.cursor.window == nil {
            let old = cursor.delivered
            let ids =
                batch.events.isEmpty ? [] : try await connection.query(NewTransactions(old: old)).map(\.value)
            if let delivered = old.adding(ids, atMost: mostActive) {
                return Batch(events: batch.events, cursor: LogCursor(delivered: delivered))
            }
        }
        while try await !isOnDisk(written, on: connection) { try await Task.sleep(for: pause) }
        return batch
    }

    /// The cursor after everything that is committed now.
    ///
    /// - Parameter connection: In no transaction, or in one that has read nothing yet.
    package static func head(on connection: PostgresConnection) async throws -> LogCursor {
        guard let now = try await connection.first(CurrentSnapshot()) else { return .beginning }
        while try await !isOnDisk(now.written, on: connection) { try await Task.sleep(for: pause) }
        return LogCursor(delivered: now.snapshot)
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

extension PostgresSnapshot {
    /// This snapshot, extended so that it sees the ended transactions given and no others.
    ///
    /// - Returns: `nil` if it would name more active transactions than `limit`.
    func adding(_ ended: [UInt64], atMost limit: Int) -> PostgresSnapshot? {
        guard let last = ended.max() else { return self }
        let end = Swift.max(xmax, last + 1)
        guard active.count + Int(end - xmax) - ended.count <= limit else { return nil }
        let gone = Set(ended)
        let left = (active + Array(xmax..<end)).filter { !gone.contains($0) }
        return PostgresSnapshot(xmin: left.first ?? end, xmax: end, active: left)
    }
}
