package import Postgres

/// A process whose workers stopped sending heartbeats without leaving the list.
package struct SilentProcess: Sendable {
    /// `host:pid`.
    package let name: String
    /// How old its last heartbeat is.
    package let silence: Duration

    /// The processes that fell silent within the last hour.
    ///
    /// - Throws: `PostgresError`.
    package static func all(on pool: PostgresPool) async throws -> [SilentProcess] { try await pool.query(Select()) }

    private struct Select: PostgresStatement {
        let sql = """
            select process, (extract(epoch from clock_timestamp() - max(heartbeat_at)) * 1000000)::bigint
            from projector_workers where heartbeat_at > clock_timestamp() - interval '1 hour'
            group by process having not bool_or(\(Lease.isRecent("heartbeat_at")))
            order by process
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> SilentProcess {
            SilentProcess(name: try row.decode(at: 0), silence: .microseconds(try row.decode(Int64.self, at: 1)))
        }
    }

    /// Whether the server refuses writes, so that no heartbeat can be stored.
    ///
    /// - Throws: `PostgresError`.
    package static func areMuted(on pool: PostgresPool) async throws -> Bool {
        try await pool.query(SelectReadOnly()).contains(true)
    }

    private struct SelectReadOnly: PostgresStatement {
        let sql = "select current_setting('transaction_read_only')::boolean"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
    }
}
