internal import Postgres

/// The table or view of a kind of records, and how its rows are read.
public struct Table<Record: StoredRecord>: Sendable {
    /// Its name in the database.
    let name: String
    /// What one record is called, such as `document`; audited events name a resource by this and the id.
    let noun: String
    /// The columns in the order in which ``read`` reads them.
    let columns: [String]
    /// The columns of the key, each with the SQL name of its type.
    let key: [(name: String, type: String)]
    /// The values of the key's columns.
    let keyValues: @Sendable (Record.ID) -> [BoundValue]
    /// The column that says when a row was soft-deleted; nil if rows cannot be.
    let deletedAt: String?
    /// The order of rows if a query names none.
    let sort: Sort<Record>
    /// Reads a record from the columns that start at an index, and moves the index past them.
    let read: @Sendable (borrowing PostgresRow, inout Int) throws(PostgresError) -> Record

    /// - Parameter make: Makes a record from the columns' values, in their order.
    init<each Value: ColumnValue>(
        name: String,
        noun: String,
        columns: (repeat Column<Record, each Value>),
        make: @escaping @Sendable (repeat each Value) -> Record,
        key: [(name: String, type: String)],
        keyValues: @escaping @Sendable (Record.ID) -> [BoundValue],
        deletedAt: String?,
        sort: Sort<Record>
    ) {
        self.name = name
        self.noun = noun
        var names: [String] = []
        repeat names.append((each columns).name)
        self.columns = names
        self.key = key
        self.keyValues = keyValues
        self.deletedAt = deletedAt
        self.sort = sort
        read = { (row, place) throws(PostgresError) in make(repeat try (each columns).read(row, &place)) }
    }

    /// The columns as an SQL list, each with a prefix.
    func list(_ prefix: String = "") -> String { columns.map { prefix + $0 }.joined(separator: ", ") }

    /// Adds the condition that selects the row with an id.
    func add(_ id: Record.ID, to text: inout SQLText) {
        text.add(zip(key, keyValues(id)), separator: " and ") { text, part in
            text.add("\(part.0.name) = ")
            text.add(part.1)
        }
    }

    /// The name of a row in audited events, such as `document/019cad8f-…`.
    func resource(_ id: Record.ID) -> String { "\(noun)/\(id)" }
}
