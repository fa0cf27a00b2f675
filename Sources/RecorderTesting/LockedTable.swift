package import Postgres

/// Makes `waiter` wait for a lock behind a reader of a table, and checks that others can read the table meanwhile.
///
/// - Parameters:
///   - table: The table, which is read in a transaction that stays open until the others have read it.
///   - waiter: Takes a lock that conflicts with readers; it has got it when this returns.
/// - Throws: ``PostgresError`` whose `isLockTimeout` is true if others have to queue behind the waiter.
package func withReader(
    of table: String,
    in database: PostgresConfiguration,
    while waiter: @escaping @Sendable () async throws -> Void
) async throws {
    try await withConnection(database) { reader in
        try await reader.run(unsafeSQL: "begin; select count(*) from \(table)")
        async let waiting: Void = waiter()
        try await withConnection(database) { other in
            let waits = """
                select 1 from pg_locks where not granted and locktype = 'relation'
                    and database = (select oid from pg_database where datname = current_database())
                """
            while try await other.text(unsafeSQL: waits).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            try await other.run(unsafeSQL: "set lock_timeout = '60s'; select count(*) from \(table)")
        }
        try await reader.run(unsafeSQL: "commit")
        try await waiting
    }
}
