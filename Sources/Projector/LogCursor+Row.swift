internal import EventStore
internal import Postgres

extension LogCursor {
    /// Reads `old_snapshot, new_snapshot, position` of a row.
    init(_ row: borrowing PostgresRow, from column: Int) throws(PostgresError) {
        let delivered = try row.decode(PostgresSnapshot?.self, at: column) ?? .beginning
        let end = try row.decode(PostgresSnapshot?.self, at: column + 1)
        let position = try row.decode(Int64.self, at: column + 2)
        self.init(delivered: delivered, window: end.map { .init(end: $0, position: position) })
    }
}

extension PostgresParameters {
    /// Appends three values: `old_snapshot, new_snapshot, position`.
    mutating func append(_ cursor: LogCursor) throws(PostgresError) {
        try append(cursor.delivered)
        try append(cursor.window?.end)
        try append(cursor.window?.position ?? 0)
    }
}
