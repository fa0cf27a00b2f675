internal import EventStore
internal import Logging
internal import Postgres

/// Runs each call in a transaction of its own, on a connection of a pool.
struct PooledContext: RepositoryContext {
    let pool: PostgresPool
    let sealer: OwnEventSealer
    let acting: ActingUser

    /// How many times a transaction is retried after a conflict with another.
    private static let retries = 20
    private static let logger = Logger(label: "recorder.directory")

    func rows<Row: Sendable>(_ statement: TextStatement<Row>) async throws -> [Row] {
        do {
            return try await pool.withConnection { connection in
                // One round trip: outside a transaction block, a pipeline is one transaction.
                let (_, rows) = try await connection.pipeline(ActFor(acting), statement)
                return rows
            }
        } catch let error as PostgresError {
            throw DirectoryError(error)
        }
    }

    func write<R: Sendable>(_ body: @Sendable (TransactionContext) async throws -> R) async throws -> R {
        let log = ChangeLog()
        do {
            let result = try await commit(log, body)
            await tellDenied(log)
            return result
        } catch {
            await tellDenied(log)
            throw error
        }
    }

    /// Appends the accesses that a transaction was refused, even when this task was cancelled. The transaction's
    /// outcome is already decided, so a failure here is logged, not thrown.
    private func tellDenied(_ log: ChangeLog) async {
        do {
            try await Task { try await appendDenied(log) }.value
        } catch {
            Self.logger.error("access that was refused is not recorded", metadata: ["error": "\(error)"])
        }
    }

    func deny(_ resource: String) async throws {
        let log = ChangeLog()
        log.addDenied(resource)
        try await appendDenied(log)
    }

    private func appendDenied(_ log: ChangeLog) async throws {
        let denied = log.takeDenied()
        guard !denied.isEmpty else { return }
        let events = denied.map { ChangeEvent(denied: $0, to: acting.user) }
        try await commit(log) { transaction in transaction.log.add(events) }
    }

    private func commit<R: Sendable>(
        _ log: ChangeLog,
        _ body: @Sendable (TransactionContext) async throws -> R
    ) async throws -> R {
        do {
            return try await pool.withConnection { connection in
                let (result, hasEvents) = try await connection.transaction(retries: Self.retries) { connection in
                    // What an earlier attempt noted did not happen.
                    _ = (log.takeEvents(), log.takeDenied())
                    _ = try await connection.first(ActFor(acting))
                    let transaction = TransactionContext(
                        connection: connection,
                        acting: acting,
                        sealer: sealer,
                        log: log
                    )
                    // Runs before anything else is sent, and before anyone else gets the connection.
                    defer { transaction.calls.end() }
                    let result = try await body(transaction)
                    try transaction.calls.endAll()
                    return (result, try await transaction.appendEvents())
                }
                // Only a hint, and nothing is lost if it fails: the projectors also poll.
                if hasEvents { try? await connection.wakeProjectors() }
                return result
            }
        } catch let error as PostgresError {
            throw DirectoryError(error)
        }
    }
}
