internal import EventStore
internal import Logging
internal import Postgres
internal import Schema

extension ProjectorWorker {
    /// Gets ready to try a batch again that failed for a reason which may pass.
    ///
    /// - Throws: The error, if it has lasted too long.
    mutating func recover(
        from error: PostgresError,
        since start: ContinuousClock.Instant,
        isPatient: Bool
    ) async throws {
        if !isPatient, start + options.patience < .now { throw error }
        if trouble.isWorthSaying(error), fleet.outage.isNews(error) {
            logger.warning("a batch is tried again", metadata: ["error": "\(error)", "worker": "\(id)"])
        }
        // Whether the commit took effect is in the database only: ask it again.
        forget()
        if error.code != .server { connection = nil }
        // Maybe it had too much to do.
        if error.code == .connectionLost { limit.shrink() }
        if error.isLockTimeout, let connection { try await endStalled(on: connection) }
    }

    /// Ends the sessions whose clients stand still in the middle of a batch, after a lock was not to be had. One of
    /// them may be this worker's own, on a connection that fell silent.
    ///
    /// What keeps a batch from going on may keep this from being done, too: both are tried again.
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

    /// Says that a stream is stopped: once, for its later events are held back and fail no more.
    ///
    /// Called when that is committed.
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

    /// Says that a stopped stream could not be tried now.
    mutating func warn(ofPostponed stopped: QuarantinedStream, _ error: PostgresError) {
        guard retryTrouble.isWorthSaying(error) else { return }
        logger.warning(
            "a stopped stream is tried again in \(PostponedRetries.pause.components.seconds) s",
            metadata: [
                "projection": "\(stopped.key.projection)", "stream": "\(stopped.stream)", "error": "\(error)",
            ]
        )
    }

    /// Says that a stopped stream was tried again and stays stopped.
    func warn(ofFailedRetry stopped: QuarantinedStream) {
        logger.warning(
            "a stream was tried again and stays stopped: see `recorder projections status`",
            metadata: ["projection": "\(stopped.key.projection)", "stream": "\(stopped.stream)"]
        )
    }
}
