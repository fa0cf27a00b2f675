/// Work that needs locks which readers hold. Everybody who comes later waits behind such a lock request, so it waits
/// only for a moment, lets them go first, and tries again.
extension PostgresConnection {
    /// Runs `body` in a transaction, again and again while it does not get a lock or conflicts with another
    /// transaction.
    ///
    /// - Parameters:
    ///   - patience: How long to keep trying.
    ///   - body: The work, which begins by ``limitLockWaits(to:)``; it may run several times.
    /// - Throws: What `body` throws; after the patience, a ``PostgresError`` with a hint that names the oldest
    ///   transactions.
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
                    let others = ((try? await query(SelectOldestTransactions())) ?? []).map { "\($0)" }
                    error.hint =
                        "others have held the locks for \(patience), and nothing was changed: try again later"
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

/// Selects the processes with the oldest open transactions in this database, as far as this role can see.
private struct SelectOldestTransactions: PostgresStatement {
    let sql = """
        select pid from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and xact_start < clock_timestamp() - interval '1 second'
        order by xact_start limit 5
        """

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int32 { try row.decode(at: 0) }
}
