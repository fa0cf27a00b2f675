internal import EventModel
internal import FoundationEssentials
internal import Logging
internal import PayloadCodec
internal import Postgres
internal import Synchronization

/// Says for events that are about to be encoded under whose key they are sealed.
///
/// Keys are looked up and made for many streams in one statement, while others wait for the same one; what was found is
/// remembered, so that an append about a known subject asks nobody. Once a second at most, the database is asked
/// whether something that is remembered has become stale: a key that was destroyed meanwhile seals for so long yet, and
/// nobody can open what it sealed. While the database cannot be asked, what is remembered counts for as long as an
/// append is patient, and no longer: appends may still go through where only new connections fail.
package final class SubjectSealer: Sendable {
    /// What one look at the database gave.
    private struct Look: Sendable {
        let state: SealingState
        let fields: PersonalFields
        var keys: [StreamID: SealingKey] = [:]
    }

    private struct Waiter {
        let wanted: [StreamID: StreamID?]
        let continuation: CheckedContinuation<Look, any Error>
    }

    private struct State {
        var look: Look?
        /// When the database was asked last.
        var askedAt = ContinuousClock.now
        /// When it answered last.
        var answeredAt = ContinuousClock.now
        var keys = RememberedKeys()
        var waiting: [Waiter] = []
        var isLooking = false
    }

    private let pool: PostgresPool
    let keys: SealingKeys
    private let patience: Duration
    private let state = Mutex(State())

    /// For how long what is remembered counts without a look.
    private static let trust = Duration.seconds(1)
    /// For how long to try to reach a server that is away, unless another time is given.
    static let patience = Duration.seconds(30)
    /// How long to leave it alone between.
    private static let retryPause = Duration.milliseconds(50)

    /// - Parameter patience: For how long to try to reach a server that is away, and for
    ///   how long what is remembered counts then.
    init(_ pool: PostgresPool, keys: SealingKeys, patience: Duration = SubjectSealer.patience) {
        self.pool = pool
        self.keys = keys
        self.patience = patience
    }

    /// The keys that appends are sealed under. Asks nobody if all of them are remembered.
    ///
    /// - Parameters:
    ///   - appends: Appends.
    ///   - places: Which of them.
    /// - Returns: One for each place; `nil` if the log is not sealed.
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if the log is sealed, something is personal and the key is
    ///   not here; `.unavailable`, `.refused` or `.closed` if keys cannot be looked up.
    func keys(for appends: [some StreamAppend], at places: [Int]) async throws -> AppendKeys? {
        let look = try await currentLook()
        guard look.state.encryptionKey != nil else { return nil }
        var keys: [SealingKey?] = []
        keys.reserveCapacity(places.count)
        state.withLock { state in
            var last: StreamID?
            for place in places {
                let stream = appends[place].stream
                let subject = appends[place].subject
                if let subject { state.keys.note(subject, of: stream) }
                // A producer's appends are about one session for long.
                let isSame = stream == last && subject == nil
                keys.append(isSame ? keys[keys.count - 1] : state.keys[stream])
                last = stream
            }
        }
        // Without a key goes only what is not personal.
        let without = keys.indices.filter { keys[$0] == nil && look.fields.concern(appends[places[$0]].events) }
        guard !without.isEmpty else { return AppendKeys(fields: look.fields, keys) }
        var missing: [StreamID: StreamID?] = [:]
        for index in without { missing[appends[places[index]].stream] = .some(nil) }
        for append in places.lazy.map({ appends[$0] }) where missing[append.stream] == .some(nil) {
            missing[append.stream] = .some(append.subject)
        }
        let looked = try await patiently { try await self.lookUp(missing) }
        for index in without {
            let stream = appends[places[index]].stream
            guard let key = looked.keys[stream] else {
                throw EventStoreError(.refused, "the key of stream \(stream) was not found: nothing was stored")
            }
            keys[index] = key
        }
        return AppendKeys(fields: look.fields, keys)
    }

    /// Sees to it that what is personal can be sealed, if the log is.
    ///
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if the key is not here; `.unavailable` or `.refused` if the
    ///   database cannot be asked.
    func checkKey() async throws {
        guard let encryptionKey = try await currentLook().state.encryptionKey, keys[encryptionKey] == nil else {
            return
        }
        throw keys.unavailable(encryptionKey)
    }

    /// Takes back what an append said of its stream if it was not the stream's first: whom that is about, others had
    /// said before, and the next append looks it up.
    func learn(from results: [(place: Int, result: AppendResult)], naming streams: [Int: StreamID]) {
        let doubtful = results.compactMap { place, result -> StreamID? in
            guard let stream = streams[place] else { return nil }
            if case .success(let receipt) = result, receipt.firstVersion == 1 { return nil }
            return stream
        }
        forget(doubtful)
    }

    /// Forgets streams' keys: of appends that came to nothing, whatever they said.
    func forget(_ streams: [StreamID]) {
        guard !streams.isEmpty else { return }
        state.withLock { state in for stream in streams { state.keys.forget(stream) } }
    }

    /// Forgets everything: the server that is asked from now on may never have had the keys.
    func forgetAll() {
        state.withLock { state in (state.look, state.keys) = (nil, RememberedKeys()) }
    }

    /// The keys of appends that have nothing to do with each other: one whose key is missing does not touch the others.
    ///
    /// - Returns: What ``keys(for:at:)`` says of each alone.
    func keys(forEachOf appends: [some StreamAppend], at places: [Int]) async -> AppendKeys? {
        do {
            return try await keys(for: appends, at: places)
        } catch let error as EventStoreError where error.code == .keyUnavailable && places.count > 1 {
            var looks: [AppendKeys] = []
            for place in places {
                guard let keys = await keys(forEachOf: appends, at: [place]) else { return nil }
                looks.append(keys)
            }
            return AppendKeys(looks)
        } catch {
            return AppendKeys(failures: places.map { _ in error })
        }
    }

    // MARK: Looking

    private func currentLook() async throws -> Look {
        let known = state.withLock { state in
            state.askedAt + Self.trust > .now ? state.look : nil
        }
        if let known { return known }
        do {
            return try await lookUp([:])
        } catch let error as EventStoreError where error.code == .unavailable {
            // A server that is away erases nobody: what is remembered counts on, and the append waits where all do. But
            // not for long: it may only be away from here.
            let known = state.withLock { state -> Look? in
                guard state.answeredAt + patience > .now else { return nil }
                state.askedAt = .now
                return state.look
            }
            if let known { return known }
            return try await patiently { try await self.lookUp([:]) }
        }
    }

    /// Tries again while the server cannot be reached, for as long as an appender does.
    private func patiently<R>(_ look: () async throws -> R) async throws -> R {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try await look()
            } catch let error as EventStoreError where error.code == .unavailable && .now < deadline {
                try await Task.sleep(for: Self.retryPause)
            }
        }
    }

    /// Looks at the database, together with whoever wants to at the same time.
    private func lookUp(_ wanted: [StreamID: StreamID?]) async throws -> Look {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting.append(Waiter(wanted: wanted, continuation: continuation))
                defer { state.isLooking = true }
                return !state.isLooking
            }
            // Not a part of the task that came first: if that is cancelled, the
            // others still wait. Ends when nobody does.
            if isFirst { Task { await self.lookForAll() } }
        }
    }

    private func lookForAll() async {
        while true {
            let waiting = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isLooking = false }
                return state.waiting
            }
            guard !waiting.isEmpty else { return }
            var wanted: [StreamID: StreamID?] = [:]
            for waiter in waiting { wanted.merge(waiter.wanted) { $0 ?? $1 } }
            do {
                let look = try await look(for: wanted)
                for waiter in waiting { waiter.continuation.resume(returning: look) }
            } catch {
                for waiter in waiting { waiter.continuation.resume(throwing: error) }
            }
        }
    }

    private func look(for wanted: [StreamID: StreamID?]) async throws -> Look {
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
                    if state.look?.state != now { state.keys = RememberedKeys() }
                    state.look = look
                    (state.askedAt, state.answeredAt) = (.now, .now)
                }
                guard !wanted.isEmpty, let encryptionKey = now.encryptionKey else { return look }
                look.keys = try await self.keys(of: wanted, found: rows, encryptionKey, on: connection)
                let keys = look.keys
                self.state.withLock { state in
                    // Not if another look has found out meanwhile that these may be stale.
                    guard state.look?.state == now else { return }
                    for (stream, key) in keys { state.keys.remember(key, of: stream) }
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
