internal import Logging
internal import Postgres
internal import Schema

/// Suspends projections that cannot be folded for now, because their SQL fails whatever the event is, or waits for a
/// lock that somebody holds for long, so that the others go on.
extension ProjectorWorker {
    /// Leaves a projection alone for a while, and records why.
    ///
    /// - Throws: The error, if the projector is to halt on it; `PostgresError`; `CancellationError`.
    mutating func suspend(_ error: ProjectorError, on connection: PostgresConnection) async throws {
        let waits = error.code == .projectionWaits
        guard let projection = error.projection, waits || options.onFailure == .quarantine else { throw error }
        var error = error
        if waits {
            // The lock's holder may be a worker that is stopped.
            try await endStalled(on: connection)
            error = error.naming(try await holders(ofLocksOf: projection, on: connection))
        }
        var suspension = suspensions[projection] ?? Suspension(error)
        suspension.prolong(error)
        if suspension.isWorthSaying() {
            logger.error("a projection is suspended", metadata: ["projection": "\(projection)", "error": "\(error)"])
        }
        suspensions[projection] = suspension
        let keys = owned.keys.filter { $0.projection == projection }
        try await connection.execute(Checkpoint.Fail(owner: id, keys: keys, error: "\(error)"))
    }

    private func holders(
        ofLocksOf projection: ProjectionVersion,
        on connection: PostgresConnection
    ) async throws -> [LockHolder] {
        guard let projection = projections.first(where: { $0.id == projection }) else { return [] }
        return try await connection.query(LockHolder.Select(projection: projection))
    }

    /// Tries the suspended projections that are due, each by itself: if one fails or waits, none of the others is
    /// undone.
    ///
    /// - Returns: Whether there may be more to do at once.
    mutating func resume(on connection: PostgresConnection) async throws -> Bool {
        var hasMore = false
        for (projection, suspension) in suspensions where suspension.isDue {
            let own = owned.filter { $0.key.projection == projection }
            hasMore = try await attemptBriefly(own, on: connection) || hasMore
            guard suspensions[projection]?.isDue == true else { continue }
            suspensions[projection] = nil
            logger.info("a projection goes on", metadata: ["projection": "\(projection)", "worker": "\(id)"])
            // Clears the error of all its shards, even those that had nothing to fold.
            try await writeDown(on: connection, force: true)
        }
        return hasMore
    }

    /// Tries with a short time-out for locks, so that the others are hardly held up if a lock is still held.
    private mutating func attemptBriefly(
        _ active: [ProjectionShard: OwnedShard],
        on connection: PostgresConnection
    ) async throws -> Bool {
        try await connection.set("lock_timeout", to: "100ms")
        do {
            let hasMore = try await attemptCarefully(active, on: connection)
            try await connection.set("lock_timeout", to: Projector.lockTimeout)
            return hasMore
        } catch {
            // If the session cannot be set, the next attempt gets another one.
            try? await connection.set("lock_timeout", to: Projector.lockTimeout)
            throw error
        }
    }
}
