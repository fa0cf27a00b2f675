package import Postgres

/// Compares the age of the program and of the schema.
extension Migrator {
    /// Refuses a schema in which migrations of this program are pending.
    ///
    /// - Returns: The applied migrations that are newer than the program's last one, so that the schema is newer too.
    /// - Throws: ``SchemaError`` with `.outOfDate`.
    package func refuseOlderSchema(on connection: PostgresConnection) async throws -> [String] {
        let known = try Migration.all(in: files)
        let applied = try await connection.transaction(readOnly: true) { connection -> [AppliedMigration] in
            guard try await connection.first(SelectHasMigrations(schema: schema)) == true else { return [] }
            _ = try await connection.first(SetSearchPath(schemas: [schema]))
            return try await connection.query(SelectAppliedMigrations())
        }
        let pending = Set(known.map(\.version)).subtracting(applied.map(\.version)).count
        guard pending == 0 else {
            throw SchemaError(
                .outOfDate,
                "\(pending) of this program's migrations \(pending == 1 ? "is" : "are") pending in schema \(schema): run "
                    + "`recorder migrate up`"
            )
        }
        let newest = known.last?.version ?? 0
        return applied.filter { $0.version > newest }.map(\.title)
    }
}
