/// A statement: its SQL, its parameters and its rows, in one type.
///
/// It is prepared once per connection, by its SQL text; parameters and results are binary.
package protocol PostgresStatement: Sendable {
    /// The type that a row is decoded to; `Void` for statements without rows.
    associatedtype Row: Sendable = Void

    /// One SQL statement with `$1`, `$2` … for its parameters. All values of the type that have the same SQL must bind
    /// the same types.
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

/// One row of a result, valid only while it is decoded.
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
    ///   - type: The type to read; an Optional if the column may be NULL.
    ///   - column: The column's index, from 0.
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
