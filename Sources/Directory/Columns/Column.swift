internal import EventModel
internal import Postgres

/// A column of a table or view: whose it is, and what it holds.
public struct Column<Record, Value: ColumnValue>: Sendable {
    /// Its name in the database.
    let name: String
    /// Whether it says something of a person, so that no event shows it.
    let isPersonal: Bool

    /// - Parameters:
    ///   - name: As the database has it; SQL, never built from input.
    ///   - isPersonal: Whether events only name it.
    init(_ name: String, isPersonal: Bool = false) {
        self.name = name
        self.isPersonal = isPersonal
    }

    /// Reads the column, and moves on to the next one.
    func read(_ row: borrowing PostgresRow, _ place: inout Int) throws(PostgresError) -> Value {
        defer { place += 1 }
        return try Value.coding.decode(row, place)
    }
}

/// A column that a writer may set.
public struct SettableColumn<Record, Value: ColumnValue>: Sendable {
    let column: Column<Record, Value>

    init(_ column: Column<Record, Value>) { self.column = column }

    /// Gives the column a value.
    public func set(_ value: Value) -> Assignment<Record> { Assignment(column, value) }
}

/// A value that a column gets.
public struct Assignment<Record>: Sendable {
    /// The column's name.
    let column: String
    let value: BoundValue
    /// What an event says of it: nil for what is personal.
    let shown: String?

    init<Value: ColumnValue>(_ column: Column<Record, Value>, _ value: Value) {
        let coding = Value.coding
        self.column = column.name
        self.value = BoundValue(value, coding)
        shown = column.isPersonal ? nil : coding.json(value).json
    }
}
