internal import EventStore
internal import Logging
internal import Postgres

/// Runs each call in a transaction of its own, on a connection of a pool.
struct PooledContext: RepositoryContext {
    let pool: PostgresPool
    let sealer: OwnEventSealer
    let acting: ActingUser

    /// How often a transaction that lost against another one is run again.
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

    /// Appends what was refused behind a transaction, also when this task was cancelled. What the transaction has come
    /// to is decided, so a failure is not the caller's.
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
                    // What an attempt that lost has noted did not happen.
                    _ = (log.takeEvents(), log.takeDenied())
                    _ = try await connection.first(ActFor(acting))
                    let transaction = TransactionContext(
                        connection: connection,
                        acting: acting,
                        sealer: sealer,
                        log: log
                    )
                    // Before anything else is sent, and before the connection goes to somebody else.
                    defer { transaction.calls.end() }
                    let result = try await body(transaction)
                    try transaction.calls.endAll()
                    return (result, try await transaction.appendEvents())
                }
                // A hint, after which nothing can be lost any more: the projectors look now and then anyway.
                if hasEvents { _ = try? await connection.first(WakeProjectors()) }
                return result
            }
        } catch let error as PostgresError {
            throw DirectoryError(error)
        }
    }
}
