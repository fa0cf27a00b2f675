/// Work that needs locks which readers hold. Everybody who comes later waits behind such a lock request, so it waits
/// only for a moment, lets them go first, and tries again.
extension PostgresConnection {
    /// Runs `body` in a transaction, again and again while it does not get a lock or conflicts with another
    /// transaction.
    ///
    /// - Parameters:
    ///   - patience: How long to keep trying.
    ///   - body: The work, which begins by ``limitLockWaits(to:)``; it may run several times.
    /// - Throws: What `body` throws; after the patience, a ``PostgresError`` with a hint that names who holds
    ///   locks.
    package func transaction<R: Sendable>(
        givingWayFor patience: Duration,
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        let end = ContinuousClock.now + patience
        while true {
            do {
                return try await transaction(retries: 10, body)
            } catch var error as PostgresError where error.isLockTimeout {
                guard .now < end else {
                    // Whoever was in the way: that the lock was not to be had is what counts.
                    let others = ((try? await query(SelectLockHolders())) ?? []).map { "\($0)" }
                    error.hint =
                        "others have held the locks for \(patience), and this step changed nothing: try again later"
                        + (others.isEmpty
                            ? "" : ", or end who has a transaction open (pid \(others.joined(separator: ", ")))")
                    throw error
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...250)))
            }
        }
    }

    /// Limits how long the open transaction waits for a lock.
    package func limitLockWaits(to limit: Duration) async throws {
        try await run(unsafeSQL: "set local lock_timeout = '\(Int(limit / .milliseconds(1)))ms'")
    }
}

/// Selects the processes that hold locks on tables of this database, those with the oldest transactions first. A role
/// that may not see since when others have theirs open is told of all of them.
private struct SelectLockHolders: PostgresStatement {
    let sql = """
        select pid from (
            select distinct pid from pg_locks join pg_class on pg_class.oid = relation
            where database = (select oid from pg_database where datname = current_database()) and granted
                and relnamespace <> 'pg_catalog'::regnamespace and pid <> pg_backend_pid()
        ) holder left join pg_stat_activity using (pid)
        where (xact_start < clock_timestamp() - interval '1 second') is not false
        order by xact_start limit 5
        """

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int32 { try row.decode(at: 0) }
}
