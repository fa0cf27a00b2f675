internal import Postgres

/// The order of rows: by one column, then by the key, both the same way.
public struct Sort<Record>: Sendable {
    /// The column's name, or an expression of columns that is never NULL.
    let column: String
    /// SQL's name of the column's type, to read a value back from text.
    let type: String
    let isDescending: Bool

    init<Value: ColumnValue>(_ column: Column<Record, Value>, isDescending: Bool) {
        self.column = column.name
        type = Value.coding.type.sqlName
        self.isDescending = isDescending
    }

    /// Sorts by an expression, the smallest value first.
    ///
    /// - Parameter expression: Of columns; never built from input.
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
