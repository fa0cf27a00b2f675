internal import Postgres

/// SQL under construction, with the values of its parameters `$1`, `$2` ….
struct SQLText: Sendable {
    private(set) var sql: String
    private var values: [BoundValue] = []

    init(_ sql: String = "") { self.sql = sql }

    /// Adds SQL, which is never built from input.
    mutating func add(_ part: String) { sql += part }

    /// Adds a parameter with its value.
    mutating func add(_ value: BoundValue) {
        values.append(value)
        sql += "$\(values.count)"
    }

    /// Adds several parts with a separator between them.
    mutating func add<Parts: Sequence>(
        _ parts: Parts,
        separator: String,
        _ write: (inout SQLText, Parts.Element) -> Void
    ) {
        for (index, part) in parts.enumerated() {
            if index > 0 { sql += separator }
            write(&self, part)
        }
    }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        for value in values { try parameters.append(encoded: value.bytes, as: value.type) }
    }
}

/// A statement built from typed parts.
struct TextStatement<Row: Sendable>: PostgresStatement {
    let text: SQLText
    let read: @Sendable (borrowing PostgresRow) throws(PostgresError) -> Row

    var sql: String { text.sql }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try text.bind(&parameters) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Row { try read(row) }
}
