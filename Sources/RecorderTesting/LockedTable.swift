package import Postgres

/// Makes `waiter` wait for a lock behind a reader of a table, and checks that others can read the table meanwhile.
///
/// - Parameters:
///   - table: The table, which is read in a transaction that stays open until the others have read it.
///   - waiter: Takes a lock that conflicts with readers; it has got it when this returns.
/// - Throws: ``PostgresError`` whose `isLockTimeout` is true if others have to queue behind the waiter; what the waiter
///   throws; ``DidNotHappen`` if it ends without having waited.
package func withReader(
    of table: String,
    in database: PostgresConfiguration,
    while waiter: @escaping @Sendable () async throws -> Void
) async throws {
    try await withConnection(database) { reader in
        try await reader.run(unsafeSQL: "begin; select count(*) from \(table)")
        let hasEnded = Shared(false)
        async let waiting: Void = {
            defer { hasEnded.withLock { $0 = true } }
            try await waiter()
        }()
        try await withConnection(database) { other in
            let waits = """
                select 1 from pg_locks where not granted and locktype = 'relation'
                    and database = (select oid from pg_database where datname = current_database())
                """
            try await eventually("somebody waits for a lock on \(table)") {
                // The lock is not to be had before the commit: who has ended does not wait for it any more.
                if hasEnded.value { return true }
                return try await !other.text(unsafeSQL: waits).isEmpty
            }
            try await other.run(unsafeSQL: "set lock_timeout = '60s'; select count(*) from \(table)")
        }
        let hasWaited = !hasEnded.value
        try await reader.run(unsafeSQL: "commit")
        try await waiting
        guard hasWaited else { throw DidNotHappen(description: "nobody waited for a lock on \(table)") }
    }
}
