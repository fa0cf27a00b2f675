extension PostgresConnection {
    /// Runs `body` in a transaction that is rolled back in any case: nothing of it stays but what `body` found out.
    ///
    /// - Parameter isolation: What the transaction sees.
    /// - Throws: What `body` throws; ``PostgresError``; `CancellationError`.
    package func rolledBackTransaction<R: Sendable>(
        isolation: PostgresIsolation = .readCommitted,
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        do {
            return try await transaction(isolation: isolation) { connection -> R in
                throw RollBack(result: try await body(connection))
            }
        } catch let end as RollBack<R> {
            return end.result
        }
    }

    /// Runs `body` inside the open transaction and undoes what it did in any case; the transaction can go on.
    ///
    /// - Throws: What `body` throws, after its work is undone.
    package func rolledBackSavepoint<R: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        do {
            return try await savepoint { connection -> R in
                throw RollBack(result: try await body(connection))
            }
        } catch let end as RollBack<R> {
            return end.result
        }
    }
}

/// Thrown out of a transaction or a savepoint, so that it is rolled back, with what was found out in it.
private struct RollBack<R: Sendable>: Error {
    let result: R
}
