internal import EventModel
internal import Postgres

/// A column of a table or view, typed by its record and its value.
public struct Column<Record, Value: ColumnValue>: Sendable {
    /// Its name in the database.
    let name: String
    /// Whether it says something about a person, so that no event shows its value.
    let isPersonal: Bool

    /// - Parameters:
    ///   - name: Its name in the database. It becomes part of SQL, so it is never built from input.
    ///   - isPersonal: Whether events name it without its value.
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

/// A column and the value that it is set to.
public struct Assignment<Record>: Sendable {
    /// The column's name.
    let column: String
    let value: BoundValue
    /// The value as an event's JSON; nil if the column is personal.
    let shown: String?

    init<Value: ColumnValue>(_ column: Column<Record, Value>, _ value: Value) {
        let coding = Value.coding
        self.column = column.name
        self.value = BoundValue(value, coding)
        shown = column.isPersonal ? nil : coding.json(value).json
    }
}
