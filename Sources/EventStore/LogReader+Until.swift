package import Postgres

extension LogReader {
    /// Reads the next events behind a cursor, up to another cursor and no further.
    ///
    /// What it reads does not depend on when it reads: any transaction that sees what `target` sees will do.
    ///
    /// - Parameters:
    ///   - connection: In a transaction.
    ///   - cursor: Where to go on; it ``LogCursor/precedes(_:)`` `target`.
    ///   - target: Where to stop.
    ///   - limit: How many events at most.
    ///   - shards: Whose streams to read; all of them unless given.
    /// - Returns: The events by position; when the cursor stands at `target`, all was read.
    package static func read(
        on connection: isolated PostgresConnection,
        after cursor: LogCursor,
        until target: LogCursor,
        limit: Int,
        shards: ShardSet? = nil
    ) async throws -> Batch {
        guard cursor != target else { return Batch(events: [], cursor: cursor) }
        // A window of its own that is open is closed first, unless the target stands inside it.
        let endsInside = cursor.delivered == target.delivered
        let end = cursor.window?.end ?? (endsInside ? target.window?.end : target.delivered)
        guard let end else { return Batch(events: [], cursor: target) }
        let events = try await connection.query(
            ReadUntil(
                old: cursor.delivered,
                end: end,
                after: cursor.window?.position ?? 0,
                last: endsInside ? target.window?.position ?? .max : .max,
                limit: limit,
                shards: shards?.isWhole == true ? nil : shards
            )
        )
        guard events.count >= limit, let last = events.last else {
            return Batch(events: events, cursor: endsInside ? target : LogCursor(delivered: end))
        }
        let window = LogCursor.Window(end: end, position: last.position)
        return Batch(events: events, cursor: LogCursor(delivered: cursor.delivered, window: window))
    }

    /// What one snapshot sees and an older one does not, between two positions.
    private struct ReadUntil: PostgresStatement {
        let old: PostgresSnapshot
        let end: PostgresSnapshot
        let after: Int64
        let last: Int64
        let limit: Int
        let shards: ShardSet?

        /// Whether to walk by position: from the beginning there is nothing to skip, and a walk under way goes on.
        private var isWalk: Bool { old == .beginning || after > 0 }

        var sql: String {
            """
            select \(StoredEvent.columns) from events
            where position > $1 and position <= $2 and pg_visible_in_snapshot(transaction_id, $3)
                and \(isWalk ? "not pg_visible_in_snapshot(transaction_id, $4)" : Self.isNew)
                \(ShardSet.condition(shards, from: isWalk ? 6 : 7))
            order by position \(isWalk ? "" : "+ 0") limit $\(isWalk ? 5 : 6)
            """
        }

        private static let isNew = "(transaction_id >= $4 or transaction_id = any($5::xid8[]))"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(after)
            try parameters.append(last)
            try parameters.append(end)
            if isWalk {
                try parameters.append(old)
            } else {
                try parameters.append(PostgresXID8(old.xmax))
                try parameters.append(old.active.map(PostgresXID8.init))
            }
            try parameters.append(limit)
            try shards?.bind(&parameters)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StoredEvent { try StoredEvent(row) }
    }
}

extension LogCursor {
    /// Whether everything that was delivered here was delivered at `other` too.
    ///
    /// Of two cursors of one log one always precedes the other, unless one was moved by somebody who walks other windows.
    package func precedes(_ other: LogCursor) -> Bool {
        guard let window else { return delivered.isSubset(of: other.delivered) }
        if window.end.isSubset(of: other.delivered) { return true }
        guard delivered == other.delivered, let otherWindow = other.window else { return false }
        return window.end == otherWindow.end && window.position <= otherWindow.position
    }
}
