internal import EventModel
internal import EventStore
internal import Postgres

/// Where a repository's calls run: each in a transaction of its own, or all in one that is open.
protocol RepositoryContext: Sendable {
    /// For whom.
    var acting: ActingUser { get }

    /// Reads rows as the acting user.
    ///
    /// - Throws: ``DirectoryError``; `CancellationError`.
    func rows<Row: Sendable>(_ statement: TextStatement<Row>) async throws -> [Row]

    /// Runs changes in a transaction that appends their events.
    ///
    /// - Throws: What `body` throws; ``DirectoryError``; `CancellationError`.
    func write<R: Sendable>(_ body: @Sendable (OpenTransaction) async throws -> R) async throws -> R

    /// Runs one call of a repository with all that belongs to it, its arguments' checks among them.
    ///
    /// - Throws: What `body` throws; ``DirectoryError`` with `.transactionOver`.
    func call<R>(_ body: () async throws -> R) async throws -> R

    /// Notes in the acting user's stream that access to a resource was refused.
    func deny(_ resource: String) async throws
}

extension RepositoryContext {
    /// Where each call is a transaction of its own, there is nothing to keep of it.
    func call<R>(_ body: () async throws -> R) async throws -> R { try await body() }
}

/// A transaction that is open: repositories in it see each other's changes, and all commit together or none.
struct OpenTransaction: RepositoryContext {
    let connection: PostgresConnection
    let acting: ActingUser
    let sealer: OwnEventSealer
    let log: ChangeLog
    let calls = TransactionCalls()

    func rows<Row: Sendable>(_ statement: TextStatement<Row>) async throws -> [Row] {
        try await sending(on: connection) { connection in try await connection.query(statement) }
    }

    /// Runs statements of one kind in one go.
    ///
    /// - Returns: The first row of each.
    func pipeline<Row: Sendable>(_ statements: [TextStatement<Row>]) async throws -> [Row] {
        try await sending(on: connection) { connection in
            try await connection.pipeline(each: statements).compactMap(\.first)
        }
    }

    /// Sends statements, unless the transaction is over: the connection may be another user's by then.
    ///
    /// It asks on the connection's actor, where the transaction is ended too, so that none ends between question and sending.
    private func sending<Row: Sendable>(
        on connection: isolated PostgresConnection,
        _ send: @Sendable (isolated PostgresConnection) async throws -> [Row]
    ) async throws -> [Row] {
        try calls.check()
        do {
            return try await send(connection)
        } catch let error as PostgresError where !error.endsTransactionOnly {
            throw DirectoryError(error)
        }
    }

    func call<R>(_ body: () async throws -> R) async throws -> R { try await calls.run(body) }

    func write<R: Sendable>(_ body: @Sendable (OpenTransaction) async throws -> R) async throws -> R {
        try await body(self)
    }

    /// The transaction may be rolled back: whoever runs it appends what was refused behind it.
    func deny(_ resource: String) async throws { log.addDenied(resource) }

    /// Appends what the changes have to tell.
    ///
    /// - Returns: Whether there was something.
    func appendEvents() async throws -> Bool {
        let events = log.takeEvents()
        guard !events.isEmpty else { return false }
        let drafts: [EventDraft]
        let statement: AppendOwnEvents
        do throws(EventModelError) {
            drafts = try ChangeEvent.drafts(events, by: acting)
            statement = try AppendOwnEvents(events, by: acting)
        } catch {
            throw DirectoryError(.invalid, "the metadata of the acting user cannot be recorded: \(error.message)")
        }
        do {
            if try await !sealer.append(drafts, about: acting.user, on: connection) {
                _ = try await connection.first(statement)
            }
        } catch let error as EventStoreError {
            throw DirectoryError(.notInstalled, "the change cannot be recorded", cause: error)
        }
        return true
    }
}

/// Runs each call in a transaction of its own, on a connection of a pool.
struct PooledContext: RepositoryContext {
    let pool: PostgresPool
    let sealer: OwnEventSealer
    let acting: ActingUser

    /// How often a transaction that lost against another one is run again.
    private static let retries = 20

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

    func write<R: Sendable>(_ body: @Sendable (OpenTransaction) async throws -> R) async throws -> R {
        let log = ChangeLog()
        do {
            let result = try await commit(log, body)
            try await appendDenied(log)
            return result
        } catch {
            try await appendDenied(log)
            throw error
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
        _ body: @Sendable (OpenTransaction) async throws -> R
    ) async throws -> R {
        do {
            return try await pool.withConnection { connection in
                let (result, hasEvents) = try await connection.transaction(retries: Self.retries) { connection in
                    // What an attempt that lost has noted did not happen.
                    _ = (log.takeEvents(), log.takeDenied())
                    _ = try await connection.first(ActFor(acting))
                    let transaction = OpenTransaction(
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
