/// The statements that one session has prepared, by their SQL and the types of their parameters.
struct PreparedStatements {
    /// Two statements with the same key are the same for the server.
    struct Key: Hashable {
        let sql: String
        let types: [PostgresType]
    }

    private var names: [Key: String] = [:]
    private var made = 0

    /// The server's name for a prepared statement.
    func name(of key: Key) -> String? { names[key] }

    /// Makes a name for a statement that is about to be prepared; no name is used twice.
    mutating func newName() -> String {
        made += 1
        return "s\(made)"
    }

    /// Records a statement that the server has prepared.
    mutating func remember(_ name: String, for key: Key) { names[key] = name }

    /// Forgets a statement that the server can no longer execute, so that it is prepared again.
    mutating func forget(_ key: Key) { names[key] = nil }
}
