/// How much a transaction sees of concurrent changes.
///
/// Source: PostgreSQL manual, 13.2 "Transaction Isolation".
package enum PostgresIsolation: String, Sendable {
    case readCommitted = "read committed"
    case repeatableRead = "repeatable read"
}

extension PostgresConnection {
    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws or the task is cancelled.
    ///
    /// - Parameters:
    ///   - isolation: What the transaction sees.
    ///   - readOnly: Whether the server refuses writes in it.
    ///   - beginsLate: Whether BEGIN is sent together with the first statement, which saves a round trip.
    ///   - retries: How often `body` is run again after a serialization failure, a deadlock, or another session's DDL
    ///     that made a prepared statement's plan invalid.
    ///   - body: The work; it may run several times.
    /// - Returns: What `body` returned in the run that was committed.
    /// - Throws: What `body` throws; ``PostgresError`` with `.connectionLost` if the connection broke during the
    ///   commit, and then it is unknown whether the commit took effect; `CancellationError`.
    package func transaction<R: Sendable>(
        isolation: PostgresIsolation = .readCommitted,
        readOnly: Bool = false,
        beginsLate: Bool = false,
        retries: Int = 0,
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        var attempt = 0
        while true {
            do {
                return try await attemptTransaction(Self.begin(isolation, readOnly: readOnly), late: beginsLate, body)
            } catch let error as PostgresError where error.endsTransactionOnly && attempt < retries {
                attempt += 1
                // Two transactions that collided must not collide again in step.
                try await Task.sleep(for: .microseconds(Int.random(in: 0...(200 << min(attempt, 8)))))
            }
        }
    }

    private func attemptTransaction<R: Sendable>(
        _ begin: String,
        late: Bool,
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        guard isIdle else { throw PostgresError(.misuse, "a transaction is open already: use a savepoint") }
        hasCommitted = false
        try beginLate(begin)
        do {
            if !late { try await perform { exchange in try exchange.begin() } }
            let result = try await body(self)
            // Either nothing was sent, or the last statements sent have committed.
            if forgetBegin() || hasCommitted { return result }
            let outcome = try await perform { exchange in try exchange.run(script: "commit").last?.command }
            guard outcome == "COMMIT" else { throw Self.rolledBack }
            return result
        } catch {
            forgetBegin()
            await rollBack()
            throw error
        }
    }

    private static let rolledBack = PostgresError(
        .misuse,
        "the transaction was rolled back: an error in it was caught and ignored"
    )

    /// Runs the last statements of the open transaction and commits it, in one go.
    ///
    /// - Returns: How many rows each statement touched.
    /// - Throws: As ``transaction(isolation:readOnly:beginsLate:retries:_:)``; then nothing was committed, unless the
    ///   connection broke.
    @discardableResult
    package func commit(after statements: [any PostgresStatement]) async throws -> [Int] {
        let bound = try Self.committing(statements)
        let results = try await perform { exchange in try exchange.pipeline(bound, sync: .once) }
        guard results.last?.command == "COMMIT" else { throw Self.rolledBack }
        hasCommitted = true
        return results.dropLast().map(\.affectedRows)
    }

    /// Runs the last statements of the open transaction and commits it, then runs further transactions, all in one go.
    ///
    /// - Parameters:
    ///   - transactions: The statements of each; those of the open transaction, which has already run some, come first.
    ///   - isolation: The isolation of the transactions after the open one.
    /// - Returns: How many were committed, at least one. One that fails takes no effect, and neither do those after it.
    /// - Throws: As ``commit(after:)``, if the first one was not committed.
    package func commit(
        inTurn transactions: [[any PostgresStatement]],
        isolation: PostgresIsolation
    ) async throws -> Int {
        let bound = try transactions.map { statements throws(PostgresError) in try Self.committing(statements) }
        let begin = Self.begin(isolation, readOnly: false)
        let committed = try await perform { exchange in try exchange.commitInTurn(bound, begin: begin) }
        guard committed > 0 else { throw Self.rolledBack }
        hasCommitted = true
        await rollBack()
        return committed
    }

    private static func committing(
        _ statements: [any PostgresStatement]
    ) throws(PostgresError) -> [BoundStatement] {
        try (statements + [Commit()]).map { statement throws(PostgresError) in try BoundStatement(statement) }
    }

    private static func begin(_ isolation: PostgresIsolation, readOnly: Bool) -> String {
        "begin isolation level \(isolation.rawValue)\(readOnly ? " read only" : "")"
    }

    private struct Commit: PostgresStatement {
        let sql = "commit"
    }

    /// Ends a failed transaction that is still open, even in a cancelled task; if that fails, closes the connection.
    private func rollBack() async {
        guard isOpen, !isIdle else { return }
        try? await perform(heedsCancellation: false) { exchange in _ = try exchange.run(script: "rollback") }
        if !isIdle { close() }
    }

    /// Runs `body` inside the open transaction so that its failure undoes only what `body` did.
    ///
    /// - Throws: What `body` throws, after its work is undone; the transaction can go on.
    package func savepoint<R: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        try await run(unsafeSQL: "savepoint recorder_savepoint")
        do {
            let result = try await body(self)
            try await run(unsafeSQL: "release savepoint recorder_savepoint")
            return result
        } catch {
            try? await perform(heedsCancellation: false) { exchange in
                _ = try exchange.run(
                    script: "rollback to savepoint recorder_savepoint; release savepoint recorder_savepoint"
                )
            }
            throw error
        }
    }
}
