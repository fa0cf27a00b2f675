package import Postgres

/// Has somebody wait for a lock that a reader of a table holds, and sees to it that others read the table meanwhile.
///
/// - Parameters:
///   - table: What is read, in a transaction that stays open until the others have read.
///   - waiter: Takes a lock that no reader may hold; it has taken it when this returns.
/// - Throws: ``PostgresError`` whose `isLockTimeout` is true if others have to stand behind who waits.
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
