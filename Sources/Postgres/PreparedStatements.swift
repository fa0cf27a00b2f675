/// The statements that one session has prepared, by their SQL.
struct PreparedStatements {
    /// One prepared statement.
    struct Entry {
        let name: String
        let types: [PostgresType]
    }

    private var entries: [String: Entry] = [:]
    private var made = 0

    /// The statement that was prepared for this SQL with these types.
    func entry(for sql: String, types: [PostgresType]) -> Entry? {
        guard let entry = entries[sql], entry.types == types else { return nil }
        return entry
    }

    /// Names a statement that is about to be prepared.
    mutating func newEntry(types: [PostgresType]) -> Entry {
        made += 1
        return Entry(name: "s\(made)", types: types)
    }

    /// Remembers a statement that the server has prepared.
    mutating func remember(_ entry: Entry, for sql: String) { entries[sql] = entry }
}
