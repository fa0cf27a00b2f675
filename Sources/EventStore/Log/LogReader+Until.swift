package import Postgres

extension LogReader {
    /// Reads the next events after a cursor, up to another cursor and no further.
    ///
    /// The result does not depend on when it is read: any transaction that sees what `target` sees will do.
    ///
    /// - Parameters:
    ///   - connection: In a transaction.
    ///   - cursor: Where to read on; it ``LogCursor/precedes(_:)`` `target`.
    ///   - target: Where to stop.
    ///   - limit: How many events at most.
    ///   - part: Which part of the log to read.
    /// - Returns: The events by position; if the cursor equals `target`, everything was read.
    package static func read(
        on connection: isolated PostgresConnection,
        after cursor: LogCursor,
        until target: LogCursor,
        limit: Int,
        part: LogPart
    ) async throws -> Batch {
        guard cursor != target else { return Batch(events: [], cursor: cursor) }
        // If the cursor has an open window, that is finished first, unless the target lies inside it.
        let endsInside = cursor.delivered == target.delivered
        let end = cursor.window?.end ?? (endsInside ? target.window?.end : target.delivered)
        guard let end else { return Batch(events: [], cursor: target) }
        let after = cursor.window?.position ?? 0
        let last = endsInside ? target.window?.position ?? .max : .max
        let reached = endsInside ? target : LogCursor(delivered: end)
        // From the beginning there is nothing to skip; and a walk that has begun goes on.
        if cursor.delivered == .beginning || after > 0 {
            let window = LogCursor.Window(end: end, position: after)
            let walk = WindowWalk(old: cursor.delivered, window: window, limit: limit, part: part, last: last)
            let batch = try await walk.next(on: connection)
            return Batch(events: batch.events, cursor: batch.cursor.window == nil ? reached : batch.cursor)
        }
        let events = try await connection.query(
            ReadUntil(old: cursor.delivered, end: end, last: last, limit: limit, part: part)
        )
        return batch(events, from: cursor.delivered, to: end, reaching: reached, limit: limit)
    }

    /// Selects what one snapshot sees and an older one does not, up to a position.
    private struct ReadUntil: PostgresStatement {
        let old: PostgresSnapshot
        let end: PostgresSnapshot
        let last: Int64
        let limit: Int
        let part: LogPart

        // `+ 0` keeps the planner to the index on transaction ids.
        var sql: String {
            """
            select \(StoredEvent.columns) from events
            where (transaction_id >= $1 or transaction_id = any($2::xid8[])) and pg_visible_in_snapshot(transaction_id, $3)
                and position + 0 <= $4 \(part.condition(from: 6))
            order by position limit $5
            """
        }

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(PostgresXID8(old.xmax))
            try parameters.append(old.active.map(PostgresXID8.init))
            try parameters.append(end)
            try parameters.append(last)
            try parameters.append(limit)
            try part.bind(&parameters)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StoredEvent { try StoredEvent(row) }
    }
}
