import Postgres

/// Sends a value and asks for it back.
struct Echo<Value: PostgresEncodable & PostgresDecodable>: PostgresStatement {
    let value: Value

    init(_ value: Value) { self.value = value }

    var sql: String { "select $1 as value" }
    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(value) }
    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Value { try row.decode(at: 0) }
}

/// Sends a value and asks how the server prints it.
struct Printed<Value: PostgresEncodable>: PostgresStatement {
    let value: Value

    init(_ value: Value) { self.value = value }

    var sql: String { "select $1::text" }
    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(value) }
    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String? { try row.decode(at: 0) }
}

/// Reads the first column of each row.
struct Column<Value: PostgresDecodable>: PostgresStatement {
    let sql: String

    init(_ sql: String, as: Value.Type = Value.self) { self.sql = sql }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Value { try row.decode(at: 0) }
}

/// A statement without parameters and rows.
struct Command: PostgresStatement {
    let sql: String

    init(_ sql: String) { self.sql = sql }
}

/// Stores a number in `numbers (n)`.
struct InsertNumber: PostgresStatement {
    let number: Int

    init(_ number: Int) { self.number = number }

    var sql: String { "insert into numbers (n) values ($1)" }
    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(number) }
}

/// A parameter that cannot be sent.
struct Unsendable: PostgresStatement {
    var sql: String { "insert into numbers (n) values ($1)" }
    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        throw PostgresError(.encoding, "unsendable")
    }
}
