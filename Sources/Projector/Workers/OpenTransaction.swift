package import Postgres

/// A transaction, anywhere in the cluster, that has written and stays open.
///
/// It holds up no events but its own. It costs one index lookup with each read, because the cursors name it.
package struct OpenTransaction: Sendable {
    /// The server's process that runs it.
    package let process: Int
    /// The database; `nil` if it belongs to none.
    package let database: String?
    /// How long it has been open.
    package let age: Duration

    /// The transactions that have been open for more than a minute, as far as this role can see them.
    ///
    /// - Throws: `PostgresError`.
    package static func long(on pool: PostgresPool) async throws -> [OpenTransaction] { try await pool.query(Select()) }

    private struct Select: PostgresStatement {
        let sql = """
            select pid, datname::text, (extract(epoch from clock_timestamp() - xact_start) * 1000000)::bigint
            from pg_stat_activity
            where backend_xid is not null and xact_start < clock_timestamp() - interval '1 minute'
            order by xact_start
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> OpenTransaction {
            OpenTransaction(
                process: Int(try row.decode(Int32.self, at: 0)),
                database: try row.decode(at: 1),
                age: .microseconds(try row.decode(Int64.self, at: 2))
            )
        }
    }
}
