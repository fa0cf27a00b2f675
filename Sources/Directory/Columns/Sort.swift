internal import Postgres

/// The order of rows: by one column, then by the key, both in the same direction.
public struct Sort<Record>: Sendable {
    /// The column's name, or an expression of columns that is never NULL.
    let column: String
    /// The SQL name of the column's type, to cast a cursor's text back.
    let type: String
    let isDescending: Bool

    init<Value: ColumnValue>(_ column: Column<Record, Value>, isDescending: Bool) {
        self.column = column.name
        type = Value.coding.type.sqlName
        self.isDescending = isDescending
    }

    /// Sorts by an expression, the smallest value first.
    ///
    /// - Parameter expression: An expression of columns, never built from input.
    init(unsafeSQL expression: String, type: PostgresType) {
        column = expression
        self.type = type.sqlName
        isDescending = false
    }
}

extension Column where Value: Comparable {
    /// The smallest value first.
    public var ascending: Sort<Record> { Sort(self, isDescending: false) }

    /// The greatest value first.
    public var descending: Sort<Record> { Sort(self, isDescending: true) }
}
