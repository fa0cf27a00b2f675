/// The statements that one session has prepared, by their SQL and the types of their parameters.
struct PreparedStatements {
    /// What makes two statements the same for the server.
    struct Key: Hashable {
        let sql: String
        let types: [PostgresType]
    }

    private var names: [Key: String] = [:]
    private var made = 0

    /// The server's name of a statement that was prepared.
    func name(of key: Key) -> String? { names[key] }

    /// Names a statement that is about to be prepared; no name is used twice.
    mutating func newName() -> String {
        made += 1
        return "s\(made)"
    }

    /// Remembers a statement that the server has prepared.
    mutating func remember(_ name: String, for key: Key) { names[key] = name }

    /// Forgets a statement that the server cannot execute any more, so that it is prepared again.
    mutating func forget(_ key: Key) { names[key] = nil }
}
