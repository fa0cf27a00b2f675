package import Postgres

/// Walks a window between two snapshots by position, if it is too large for one batch.
///
/// Positions have a block summary instead of a B-tree, so they are read in spans: a span's events are found without
/// reading the rest of the log, if ``SummarizeLog`` ran after the rest was written.
package struct WindowWalk {
    /// What was delivered before the window.
    let old: PostgresSnapshot
    /// How far the walk has come.
    let window: LogCursor.Window
    /// How many events at most.
    let limit: Int
    /// Which part of the log to read.
    let part: LogPart
    /// The last position to read.
    var last = Int64.max

    /// The shortest span; positions of transactions that rolled back leave gaps.
    private static let shortestSpan: Int64 = 1024
    /// The most positions in a span, and in one step when only a part of the log is read: over a long stretch with
    /// nothing of that part, a reader that saves its progress then does so about once a second.
    package static let longestSpan: Int64 = 1 << 20

    /// Reads on from the walk's position.
    ///
    /// - Parameter connection: In a transaction that sees what the window's end sees.
    /// - Returns: Events by position; none only when the walk is over, or a long stretch held nothing of the part. A
    ///   cursor without a window means that the walk is over.
    func next(on connection: isolated PostgresConnection) async throws -> LogReader.Batch {
        // The window's events already have their positions, and the sequence only goes up.
        let end = min(last, try await connection.first(LastPosition()) ?? 0)
        // A few shards of many need a longer span.
        var span = max(Self.shortestSpan, Int64((Double(limit) / max(part.share, 0.001)).rounded(.up)))
        var position = window.position
        let farthest = part.isWhole ? end : min(end, position + Self.longestSpan)
        var events: [StoredEvent] = []
        while position < farthest, events.count < limit {
            let upper = min(farthest, position + min(span, Self.longestSpan))
            let rest = limit - events.count
            let found = try await connection.query(
                ReadSpan(old: old, end: window.end, after: position, upTo: upper, limit: rest, part: part)
            )
            events = events.isEmpty ? found : events + found
            position = found.count == rest ? found[rest - 1].position : upper
            if found.count * 2 < rest { span = min(span * 2, Self.longestSpan) }
        }
        let fitting = events.fitting
        if fitting.count < events.count, let last = fitting.last {
            events = fitting
            position = last.position
        }
        guard position < end else { return LogReader.Batch(events: events, cursor: LogCursor(delivered: window.end)) }
        let rest = LogCursor.Window(end: window.end, position: position)
        return LogReader.Batch(events: events, cursor: LogCursor(delivered: old, window: rest))
    }

    private struct LastPosition: PostgresStatement {
        let sql = "select last_value, pg_is_in_recovery() from events_position"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int64 {
            if try row.decode(at: 1) { throw .standby }
            return try row.decode(at: 0)
        }
    }

    private struct ReadSpan: PostgresStatement {
        let old: PostgresSnapshot
        let end: PostgresSnapshot
        let after: Int64
        let upTo: Int64
        let limit: Int
        let part: LogPart

        var sql: String {
            """
            select \(StoredEvent.columns) from events
            where position > $1 and position <= $2
                and pg_visible_in_snapshot(transaction_id, $3) and not pg_visible_in_snapshot(transaction_id, $4)
                \(part.condition(from: 6))
            order by position limit $5
            """
        }

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(after)
            try parameters.append(upTo)
            try parameters.append(end)
            try parameters.append(old)
            try parameters.append(limit)
            try part.bind(&parameters)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StoredEvent { try StoredEvent(row) }
    }
}

/// Brings the log's summary of positions up to date. Run it outside a transaction, before a walk that may be long.
package struct SummarizeLog: PostgresStatement {
    package let sql = "select summarize_events()"

    package init() {}

    package func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int64 { try row.decode(at: 0) }
}
