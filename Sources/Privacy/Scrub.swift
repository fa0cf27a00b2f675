internal import EventModel
package import Postgres
package import Schema

/// Rewrites tables so that deleted and overwritten data is no longer in their files.
///
/// VACUUM frees the space of dead rows but leaves their bytes there; VACUUM FULL rewrites a table and its indexes. Each
/// table is locked exclusively while it is rewritten, so they go one after another.
package struct Scrub: Sendable {
    private let pool: PostgresPool
    private let schema: String
    private let files: [ProjectionFiles]

    /// - Parameters:
    ///   - pool: Connections of a role that owns the tables.
    ///   - files: The projections whose tables may hold personal data.
    package init(_ pool: PostgresPool, schema: String = "recorder", projections files: [ProjectionFiles]) {
        self.pool = pool
        self.schema = schema
        self.files = files
    }

    /// The recorder's tables that hold what an erasure removes, except those of projections.
    static let tables = [
        "subject_keys", "users", "voice_models", "face_models", "knowledge_documents", "vector_search_cache",
        "llm_response_cache", "embedding_cache", "rate_limits", "projection_quarantine",
        "projection_rebuild_quarantine",
        "projection_checkpoints",
    ]

    /// Rewrites the tables.
    ///
    /// - Parameter progress: Called with the name of each table before it is rewritten.
    /// - Throws: `PostgresError`.
    package func run(_ progress: @Sendable (String) -> Void = { _ in }) async throws {
        try await pool.withConnection { connection in
            var names = Self.tables
            for projection in files where projection.eraseSQL != nil {
                names += try await ProjectionInstaller(schema: schema).tables(of: projection, on: connection)
            }
            for table in try await connection.query(SelectFiles(schema: schema, tables: names)) {
                progress(table)
                try await connection.run(unsafeSQL: "vacuum (full, analyze) \(table)", isAlone: true)
            }
        }
    }

    /// The tables that hold rows themselves, with a partitioned table's partitions in its place. Names are quoted.
    private struct SelectFiles: PostgresStatement {
        let schema: String
        let tables: [String]
        let sql = """
            select format('%I.%I', n.nspname, c.relname)
            from pg_class root
            join pg_namespace n on n.oid = root.relnamespace and n.nspname = $1
            cross join lateral (
                select root.oid as relid where root.relkind = 'r'
                union all
                select relid from pg_partition_tree(root.oid) where isleaf and root.relkind = 'p'
            ) leaf
            join pg_class c on c.oid = leaf.relid
            where root.relname = any($2) and root.relkind in ('r', 'p')
            order by array_position($2, root.relname::text), c.relname
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(schema)
            try parameters.append(tables)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }
}
