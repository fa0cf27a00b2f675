extension PostgresConnection {
    /// Runs `body` in a transaction that is always rolled back: only the result of `body` remains.
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

    /// Runs `body` inside the open transaction and always undoes its work; the transaction can go on.
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

/// Carries the result out of a transaction or a savepoint, and makes it roll back.
private struct RollBack<R: Sendable>: Error {
    let result: R
}
