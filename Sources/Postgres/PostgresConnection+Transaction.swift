/// How much a transaction sees of what others do meanwhile.
///
/// Source: PostgreSQL manual, 13.2 "Transaction Isolation".
package enum PostgresIsolation: String, Sendable {
    case readCommitted = "read committed"
    case repeatableRead = "repeatable read"
    case serializable
}

extension PostgresConnection {
    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws or the task is cancelled.
    ///
    /// - Parameters:
    ///   - isolation: What the transaction sees.
    ///   - readOnly: Whether the server refuses writes in it.
    ///   - retries: How often `body` is run again after a serialization failure, a deadlock, or DDL of others that
    ///     made a prepared statement's plan invalid.
    ///   - body: The work; it may run several times.
    /// - Returns: What `body` returned in the run that was committed.
    /// - Throws: What `body` throws; ``PostgresError`` with `.connectionLost` if the connection broke while the commit was
    ///   under way, when nobody knows whether it took effect; `CancellationError`.
    package func transaction<R: Sendable>(
        isolation: PostgresIsolation = .readCommitted,
        readOnly: Bool = false,
        retries: Int = 0,
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        var attempt = 0
        while true {
            do {
                return try await attemptTransaction(isolation: isolation, readOnly: readOnly, body)
            } catch let error as PostgresError where error.endsTransactionOnly && attempt < retries {
                attempt += 1
                // Two that collided shall not collide again in step.
                try await Task.sleep(for: .microseconds(Int.random(in: 0...(200 << min(attempt, 8)))))
            }
        }
    }

    private func attemptTransaction<R: Sendable>(
        isolation: PostgresIsolation,
        readOnly: Bool,
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        guard isIdle else { throw PostgresError(.misuse, "a transaction is open already: use a savepoint") }
        try await run(unsafeSQL: "begin isolation level \(isolation.rawValue)\(readOnly ? " read only" : "")")
        do {
            let result = try await body(self)
            let outcome = try await perform { exchange in try exchange.run(script: "commit").last?.command }
            guard outcome == "COMMIT" else {
                throw PostgresError(.misuse, "the transaction was rolled back: an error in it was caught and ignored")
            }
            return result
        } catch {
            await rollBack()
            throw error
        }
    }

    /// Ends a transaction that failed, if it is still open, even in a cancelled task; else closes the connection.
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
