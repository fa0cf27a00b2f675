package import Postgres

/// Finds what a projection's files make, by running them in a savepoint that is rolled back.
enum ProjectionRelations {
    /// A schema that exists for a moment inside a transaction.
    private static let scratch = "recorder_scratch"

    /// The tables that `table.sql` makes; partitions are not among them.
    ///
    /// - Parameter connection: In a transaction.
    /// - Throws: ``SchemaError`` with `.failed`.
    static func tables(
        of projection: ProjectionFiles,
        in schema: String,
        on connection: isolated PostgresConnection
    ) async throws -> [String] {
        try await made(by: projection.tableSQL, "table.sql", of: projection, in: schema, on: connection)
    }

    /// The views that `view.sql` makes; the tables must be there.
    static func views(
        of projection: ProjectionFiles,
        in schema: String,
        on connection: isolated PostgresConnection
    ) async throws -> [String] {
        try await made(by: projection.viewSQL, "view.sql", of: projection, in: schema, on: connection)
    }

    private static func made(
        by script: String,
        _ file: String,
        of projection: ProjectionFiles,
        in schema: String,
        on connection: isolated PostgresConnection
    ) async throws -> [String] {
        try await connection.rolledBackSavepoint { connection in
            try await connection.run(unsafeSQL: "create schema \(scratch); grant all on schema \(scratch) to public")
            _ = try await connection.first(SetSearchPath(schemas: [scratch, schema]))
            try await ProjectionInstaller(schema: schema).run(script, file: file, of: projection, on: connection)
            return try await connection.query(SelectRelations(schema: scratch))
        }
    }
}

/// The tables and views of a schema, without partitions, by name.
package struct SelectRelations: PostgresStatement {
    package let sql = """
        select relname::text from pg_class
        where relnamespace = (select oid from pg_namespace where nspname = $1)
            and relkind::text = any($2) and not relispartition
        order by relname
        """
    let schema: String
    let kinds: [String]

    /// - Parameters:
    ///   - schema: The schema.
    ///   - kinds: Those of `pg_class.relkind`: tables and views unless given.
    package init(schema: String, kinds: [String] = ["r", "p", "v", "m"]) {
        self.schema = schema
        self.kinds = kinds
    }

    package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(schema)
        try parameters.append(kinds)
    }

    package func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
}
