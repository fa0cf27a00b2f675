internal import EventStore
internal import Logging
internal import Postgres
internal import Schema

extension ProjectorWorker {
    /// Prepares to retry a batch that failed for a temporary reason.
    ///
    /// - Throws: `error`, if the trouble has lasted too long.
    mutating func recover(
        from error: PostgresError,
        since start: ContinuousClock.Instant,
        isPatient: Bool
    ) async throws {
        if !isPatient, start + options.patience < .now { throw error }
        if trouble.isWorthSaying(error), fleet.outage.isNews(error) {
            logger.warning("a batch is tried again", metadata: ["error": "\(error)", "worker": "\(id)"])
        }
        // Only the database knows whether the commit took effect: ask it again.
        forget()
        if error.code != .server { connection = nil }
        // Perhaps the batch was too large.
        if error.code == .connectionLost { limit.shrink() }
        if error.isLockTimeout, let connection { try await endStalled(on: connection) }
    }

    /// Ends the sessions whose clients are stopped in the middle of a batch, after a wait for a lock failed. One of
    /// them may be this worker's own, on a connection that fell silent.
    ///
    /// Whatever holds up the batch may make this fail too: both are tried again.
    ///
    /// - Throws: `CancellationError`.
    mutating func endStalled(on connection: PostgresConnection) async throws {
        do {
            let ended = try await connection.query(Lease.EndStalled(worker: id, projections: projections))
            if !ended.isEmpty {
                logger.warning("ended \(ended.count) sessions whose client stands still in the middle of a batch")
            }
        } catch let error as PostgresError {
            guard searchTrouble.isWorthSaying(error) else { return }
            logger.warning(
                "sessions whose client stands still were not looked for",
                metadata: ["error": "\(error)", "worker": "\(id)"]
            )
        }
    }

    /// Logs that a stream is stopped: once, because its later events are held back and do not fail again.
    ///
    /// Called after the commit.
    func warn(of failing: FailingEvent, key: ProjectionShard) {
        logger.warning(
            "a projection stops a stream at an event that it cannot apply: see `recorder projections status`",
            metadata: [
                "projection": "\(key.projection)", "stream": "\(failing.event.stream)",
                "eventVersion": "\(failing.event.version)", "event": "\(failing.event.id)", "type": "\(failing.type)",
                "error": "\(failing.reason)",
            ]
        )
    }

    /// Logs that a stopped stream could not be tried now.
    mutating func warn(ofPostponed stopped: QuarantinedStream, _ error: PostgresError) {
        guard retryTrouble.isWorthSaying(error) else { return }
        logger.warning(
            "a stopped stream is tried again in \(PostponedRetries.pause.components.seconds) s",
            metadata: [
                "projection": "\(stopped.key.projection)", "stream": "\(stopped.stream)", "error": "\(error)",
            ]
        )
    }

    /// Logs that a stopped stream was tried again and stays stopped.
    func warn(ofFailedRetry stopped: QuarantinedStream) {
        logger.warning(
            "a stream was tried again and stays stopped: see `recorder projections status`",
            metadata: ["projection": "\(stopped.key.projection)", "stream": "\(stopped.stream)"]
        )
    }
}
