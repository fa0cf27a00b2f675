/// The result of one statement that succeeded.
struct StatementResult {
    private let result: LibpqResult

    init(_ result: LibpqResult) { self.result = result }

    /// How many rows the statement touched.
    var affectedRows: Int { result.affectedRows }

    /// The server's command tag, such as `COMMIT`.
    var command: String { result.command }

    /// All rows, decoded.
    func rows<S: PostgresStatement>(_ statement: S) throws(PostgresError) -> [S.Row] {
        var rows: [S.Row] = []
        rows.reserveCapacity(result.rowCount)
        for row in 0..<result.rowCount { rows.append(try statement.decode(PostgresRow(result, row: row))) }
        return rows
    }

    /// The first row, decoded.
    func firstRow<S: PostgresStatement>(_ statement: S) throws(PostgresError) -> S.Row? {
        guard result.rowCount > 0 else { return nil }
        return try statement.decode(PostgresRow(result, row: 0))
    }

    /// All rows of a script's result, as the server's text.
    func texts() -> [[String?]] {
        (0..<result.rowCount).map { row in
            (0..<result.columnCount).map { column in
                unsafe result.withValue(row: row, column: column) { bytes in
                    unsafe bytes.map { unsafe String(decoding: $0, as: UTF8.self) }
                }
            }
        }
    }
}
