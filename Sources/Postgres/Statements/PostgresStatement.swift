/// A statement: its SQL, what it binds and what its rows are, in one type.
///
/// It is prepared once a connection, by its SQL text; parameters and results are binary.
package protocol PostgresStatement: Sendable {
    /// What a row of the result is decoded to; `Void` for statements without rows.
    associatedtype Row: Sendable = Void

    /// One SQL statement with `$1`, `$2` … for its parameters. Every value of the type with the same SQL binds the same
    /// types.
    var sql: String { get }
    /// Appends the parameters in the order of their numbers.
    func bind(_ parameters: inout PostgresParameters) throws(PostgresError)
    /// Reads one row.
    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Row
}

extension PostgresStatement {
    package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {}
}

extension PostgresStatement where Row == Void {
    package func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
}

/// One row of a result, valid while it is decoded.
package struct PostgresRow {
    private let result: LibpqResult
    private let row: Int

    init(_ result: LibpqResult, row: Int) {
        self.result = result
        self.row = row
    }

    /// Reads a column.
    ///
    /// - Parameters:
    ///   - type: What to read it as; an Optional where the column may be NULL.
    ///   - column: The column's place, from 0.
    /// - Throws: ``PostgresError`` with `.decoding`, naming the column.
    package func decode<T: PostgresDecodable>(
        _ type: T.Type = T.self,
        at column: Int
    ) throws(PostgresError) -> T {
        guard column < result.columnCount else {
            throw PostgresError(.decoding, "there is no column \(column + 1): the row has \(result.columnCount)")
        }
        let found = result.type(ofColumn: column)
        guard T.accepts(found) else {
            throw failure(at: column, "is of type \(found.sqlName), which does not read as \(T.self)")
        }
        return try unsafe result.withValue(row: row, column: column) { bytes throws(PostgresError) in
            guard let value = unsafe T(postgres: bytes, type: found) else {
                let reason = unsafe bytes == nil ? "is NULL" : "holds a value that \(T.self) cannot represent"
                throw failure(at: column, reason)
            }
            return value
        }
    }

    private func failure(at column: Int, _ reason: String) -> PostgresError {
        let name = result.name(ofColumn: column)
        var error = PostgresError(.decoding, "column \(name) \(reason)")
        error.column = name
        return error
    }
}
