import Foundation
package import Postgres

/// A commit whose answer nobody reads: an appending process is stopped while its group is on its way, and the server
/// commits the group meanwhile.
package enum UnreadCommit {
    /// Stops a process between the commit of a group and its acknowledgement.
    ///
    /// The group is made to wait in the server, for a lock on `events` that this function holds. Then the process is
    /// stopped and the lock released, so the server commits without the process learning of it. Other appends wait as
    /// long.
    ///
    /// - Parameters:
    ///   - process: The process; it stays stopped afterwards, and the caller kills or continues it.
    ///   - name: The `application_name` of its sessions, which no others have.
    ///   - connection: A connection that is in no transaction.
    ///   - limit: How long to wait for the process to append, and for others that lock the log.
    /// - Returns: Whether the server committed a group of the process while it was stopped.
    /// - Throws: `PostgresError`; `CancellationError`.
    package static func stop(
        _ process: Int32,
        named name: String,
        on connection: PostgresConnection,
        limit: Duration = .seconds(20)
    ) async throws -> Bool {
        let end = ContinuousClock.now + limit
        guard let session = try await lock(on: connection, awaiting: name, until: end) else { return false }
        kill(process, SIGSTOP)
        try await connection.run(unsafeSQL: "commit")
        let state = "select state from pg_stat_activity where pid = \(session)"
        while .now < end {
            let row = try await connection.text(unsafeSQL: state).first
            guard let row else { return false }
            if row.first == "idle" { return true }
        }
        return false
    }

    /// Takes the lock again and again until a session waits for it. Between its turns everybody goes on, because an
    /// appender treats as blocked what it has tried for half a second.
    ///
    /// - Returns: The process id of that session; `nil` if none came, and nothing is locked then.
    private static func lock(
        on connection: PostgresConnection,
        awaiting name: String,
        until end: ContinuousClock.Instant
    ) async throws -> String? {
        // A snapshot of the activity is kept for the length of a transaction.
        let waiting = """
            select pg_stat_clear_snapshot(), pid from pg_stat_activity
            where application_name = '\(name)' and wait_event_type = 'Lock'
            """
        while .now < end {
            try await connection.run(unsafeSQL: "begin; set local lock_timeout = '200ms'")
            do {
                try await connection.run(unsafeSQL: "lock table events in share mode")
                let turn = ContinuousClock.now + .milliseconds(250)
                while .now < turn {
                    if let session = try await connection.text(unsafeSQL: waiting).first?[1] { return session }
                }
            } catch let error as PostgresError where error.isLockTimeout || error.isTransactionConflict {}
            try await connection.run(unsafeSQL: "rollback")
        }
        return nil
    }
}
