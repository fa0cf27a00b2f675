internal import EventModel
internal import Postgres
internal import Synchronization

/// Looks at the database, once for all callers that want to at the same time.
extension SubjectSealer {
    /// The streams whose keys are looked up, each with the user that it is about, if known.
    typealias Wanted = [StreamID: StreamID?]

    /// A caller that waits for a look.
    struct Waiter {
        let wanted: Wanted
        let continuation: CheckedContinuation<Look, any Error>
    }

    /// How many callers wait for a look.
    var waiters: Int { state.withLock { $0.waiting.count } }

    /// Waits for a look that begins after this call.
    ///
    /// - Returns: What was found; for each stream its key, or why it cannot be had, if the log is sealed.
    /// - Throws: ``EventStoreError`` if the database cannot be asked; `CancellationError`.
    func lookUp(_ wanted: Wanted) async throws -> Look {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isFirst: Bool? = state.withLock { state in
                    guard !Task.isCancelled else { return nil }
                    state.waiting[id] = Waiter(wanted: wanted, continuation: continuation)
                    defer { state.isLooking = true }
                    return !state.isLooking
                }
                guard let isFirst else { return continuation.resume(throwing: CancellationError()) }
                // Not a child of the task that came first: if that is cancelled, the others still wait. Ends when
                // nobody waits.
                if isFirst { Task { await self.lookForAll() } }
            }
        } onCancel: {
            settle(id, .failure(CancellationError()))
        }
    }

    private func lookForAll() async {
        while true {
            let waiting = state.withLock { state in
                if state.waiting.isEmpty { state.isLooking = false }
                return state.waiting.mapValues(\.wanted)
            }
            guard !waiting.isEmpty else { return }
            var wanted: Wanted = [:]
            for one in waiting.values { wanted.merge(one) { $0 ?? $1 } }
            let outcome = await outcome(of: wanted)
            if waiting.count > 1, case .failure(let error) = outcome, !Self.isEverybodys(error) {
                await lookForEach(of: waiting)
            } else {
                for id in waiting.keys { settle(id, outcome) }
            }
        }
    }

    /// Looks for each caller alone, after a failure that one of them may have caused.
    private func lookForEach(of waiting: [UInt64: Wanted]) async {
        var outage: Result<Look, any Error>?
        for (id, wanted) in waiting where state.withLock({ $0.waiting[id] != nil }) {
            let outcome = if let outage { outage } else { await outcome(of: wanted) }
            if case .failure(let error) = outcome, Self.isEverybodys(error) { outage = outcome }
            settle(id, outcome)
        }
    }

    private func outcome(of wanted: Wanted) async -> Result<Look, any Error> {
        do {
            return .success(try await look(for: wanted))
        } catch {
            return .failure(error)
        }
    }

    /// Whether a failure does not depend on what is looked for.
    private static func isEverybodys(_ error: any Error) -> Bool {
        guard let error = error as? EventStoreError else { return false }
        return error.code == .unavailable || error.code == .closed
    }

    /// Resumes a caller, unless it has given up.
    private func settle(_ id: UInt64, _ outcome: Result<Look, any Error>) {
        let waiter = state.withLock { $0.waiting.removeValue(forKey: id) }
        waiter?.continuation.resume(with: outcome)
    }

    private func look(for wanted: Wanted) async throws -> Look {
        let forgotten = state.withLock { $0.forgotten }
        do {
            return try await pool.withConnection { connection in
                let wanted = wanted.map { (stream: $0.key, named: $0.value) }
                let (states, rows) =
                    wanted.isEmpty
                    ? (try await connection.query(SealingState.Select()), [])
                    : try await connection.pipeline(SealingState.Select(), SelectSubjects(streams: wanted))
                guard let now = states.first else {
                    throw EventStoreError(.refused, "the table sealing has no row: run `recorder migrate verify`")
                }
                var look = Look(state: now, fields: try await self.fields(now, on: connection))
                self.state.withLock { state in
                    // Not what a server said that is gone since.
                    guard state.forgotten == forgotten else { return }
                    if state.look?.state != now { state.keys = RememberedKeys() }
                    state.look = look
                    (state.askedAt, state.answeredAt) = (.now, .now)
                }
                guard !wanted.isEmpty, let encryptionKey = now.encryptionKey else { return look }
                look.keys = try await self.keys(of: wanted, found: rows, encryptionKey, on: connection)
                let keys = look.keys
                self.state.withLock { state in
                    // Not if another look has meanwhile found that these may be stale.
                    guard state.forgotten == forgotten, state.look?.state == now else { return }
                    for case (let stream, .success(let key)) in keys { state.keys.remember(key, of: stream) }
                }
                return look
            }
        } catch let error as PostgresError {
            throw EventStoreError(
                error,
                "nothing was stored: the keys that personal fields are sealed under cannot be read"
            )
        }
    }

    private func fields(_ now: SealingState, on connection: PostgresConnection) async throws -> PersonalFields {
        if let look = state.withLock({ $0.look }), look.state == now { return look.fields }
        return PersonalFields(now.encryptionKey == nil ? [] : try await connection.query(SelectPersonalFields()))
    }
}
