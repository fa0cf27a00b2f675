internal import EventModel
internal import EventStore
internal import Logging
internal import Postgres
internal import Schema

extension ProjectorWorker {
    /// Retries the streams whose retry was requested.
    ///
    /// A retry that fails for a temporary reason, such as a lock that somebody holds for long, is put off, and the
    /// retries after it until events have been folded: a stopped stream does not hold up the others.
    ///
    /// - Throws: ``ProjectorError`` with `.leaseLost`; `PostgresError`.
    mutating func retryStopped(on connection: PostgresConnection) async throws {
        let keys = owned.filter { !$0.value.stopped.isEmpty }.map(\.key)
        let wanted =
            keys.isEmpty ? [] : try await connection.query(Quarantine.Select(keys: keys)).filter(\.isRetryRequested)
        postponed.keep(wanted)
        for stopped in wanted where postponed.isDue(stopped) {
            do {
                try await retry(stopped, on: connection)
            } catch let error as PostgresError where error.isPassing && connection.isOpen {
                postponed.postpone(stopped)
                warn(ofPostponed: stopped, error)
                if error.isLockTimeout { try await endStalled(on: connection) }
                return
            }
        }
    }

    private mutating func retry(_ stopped: QuarantinedStream, on connection: PostgresConnection) async throws {
        guard let own = owned[stopped.key],
            let projection = projections.first(where: { $0.id == stopped.key.projection })
        else { return }
        let retry = StreamRetry(owner: id, stopped: stopped, projection: projection, decoder: decoder)
        do {
            let isLifted = try await connection.transaction(isolation: .repeatableRead) { connection in
                try await retry.run(on: connection, owned: own)
            }
            owned[stopped.key]?.advanced(to: own.cursor, given: own.passed)
            if isLifted {
                owned[stopped.key]?.stopped.remove(stopped.stream)
            } else {
                warn(ofFailedRetry: stopped)
            }
        } catch let error as ProjectorError where error.code == .projectionFailed {
            // The projection's other streams may well go on; if they cannot, their round says so.
            let fail = Quarantine.FailRetry(key: stopped.key, stream: stopped.stream, error: "\(error)")
            try await connection.execute(fail)
        }
    }
}
