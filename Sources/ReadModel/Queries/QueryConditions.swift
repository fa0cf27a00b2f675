internal import Postgres

/// The conditions of a query, and the values that they bind.
struct QueryConditions: Sendable {
    private var clauses: [String] = []
    private var values: [any PostgresEncodable] = []

    /// Adds a condition.
    ///
    /// - Parameters:
    ///   - clause: SQL in which `?` stands for the value, such as `started_at >= ?`.
    ///   - value: The value; nil adds nothing.
    mutating func add(_ clause: String, _ value: (some PostgresEncodable)?) {
        guard let value else { return }
        clauses.append(clause.replacing("?", with: placeholder(value)))
    }

    /// Adds a condition without a value.
    mutating func add(_ clause: String) { clauses.append(clause) }

    /// Binds a value and returns its placeholder in the SQL.
    mutating func placeholder(_ value: some PostgresEncodable) -> String {
        values.append(value)
        return "$\(values.count)"
    }

    /// `where …`, or nothing if there is no condition.
    var sql: String { clauses.isEmpty ? "" : "where " + clauses.joined(separator: " and ") }

    /// Binds the values in their order.
    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        for value in values { try parameters.append(value) }
    }
}
