internal import EventModel
internal import EventStore
internal import Postgres

/// An open transaction: its repositories see each other's changes, which commit together or not at all.
struct TransactionContext: RepositoryContext {
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
    /// It checks on the connection's actor, which also ends the transaction, so that it cannot end between the check
    /// and the sending.
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

    func write<R: Sendable>(_ body: @Sendable (TransactionContext) async throws -> R) async throws -> R {
        try await body(self)
    }

    /// Only noted, because the transaction may be rolled back: ``PooledContext`` appends it after the transaction.
    func deny(_ resource: String) async throws { log.addDenied(resource) }

    /// Appends the events of the changes.
    ///
    /// - Returns: Whether there were any.
    func appendEvents() async throws -> Bool {
        let events = log.takeEvents()
        guard !events.isEmpty else { return false }
        do {
            let drafts = try ChangeEvent.drafts(events, by: acting)
            if try await !sealer.append(drafts, about: acting.user, on: connection) {
                _ = try await connection.first(AppendOwnEvents(events, by: acting))
            }
        } catch let error as EventModelError {
            throw DirectoryError(.invalid, "the metadata of the acting user cannot be recorded: \(error.message)")
        } catch let error as EventStoreError {
            throw DirectoryError(.notInstalled, "the change cannot be recorded", cause: error)
        }
        return true
    }
}
