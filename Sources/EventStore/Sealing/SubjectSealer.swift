internal import EventModel
internal import FoundationEssentials
internal import Logging
internal import PayloadCodec
internal import Postgres
internal import Synchronization

/// Finds the keys that seal events which are about to be encoded.
///
/// Keys are looked up and made for many streams in one statement, while others wait for the same one. The result is
/// remembered, so that an append about a known subject needs no query. At most once a second, the database is asked
/// whether anything remembered has become stale: until then, a key that was destroyed goes on sealing, and nobody can
/// open what it sealed. While the database cannot be asked, what is remembered stays valid for as long as an append's
/// patience lasts, and no longer: appends may still go through where only new connections fail.
package final class SubjectSealer: Sendable {
    /// The result of one look at the database.
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
        /// When the database was last asked.
        var askedAt = ContinuousClock.now
        /// When it last answered.
        var answeredAt = ContinuousClock.now
        var keys = RememberedKeys()
        var waiting: [Waiter] = []
        var isLooking = false
    }

    private let pool: PostgresPool
    let keys: SealingKeys
    private let patience: Duration
    private let server: ServerPatience
    private let state = Mutex(State())

    /// How long what is remembered is trusted without a look at the database.
    private static let trust = Duration.seconds(1)
    /// How long to try to reach a server that is away, by default.
    static let patience = Duration.seconds(30)

    /// - Parameters:
    ///   - patience: How long to try to reach a server that is away, and how long what is remembered is trusted
    ///     meanwhile.
    ///   - server: Waits for such a server.
    init(
        _ pool: PostgresPool,
        keys: SealingKeys,
        patience: Duration = SubjectSealer.patience,
        server: ServerPatience = ServerPatience(logger: Logger(label: "recorder.store"))
    ) {
        self.pool = pool
        self.keys = keys
        self.patience = patience
        self.server = server
    }

    /// The keys that seal appends. Asks the database for nothing if all of them are remembered.
    ///
    /// - Parameters:
    ///   - appends: The appends.
    ///   - places: The indices of those that need keys.
    /// - Returns: A key for each place, `nil` where nothing is personal; `nil` as a whole if the log is not sealed.
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
                let isNew = appends[place].expectedVersion == .noStream
                if let subject { state.keys.note(subject, of: stream, isNew: isNew) }
                // A producer's appends often belong to one session for a while.
                let isSame = stream == last && subject == nil
                keys.append(isSame ? keys[keys.count - 1] : state.keys[stream])
                last = stream
            }
        }
        // An append needs no key if it holds nothing personal.
        let without = keys.indices.filter { keys[$0] == nil && look.fields.concern(appends[places[$0]].events) }
        guard !without.isEmpty else { return AppendKeys(fields: look.fields, keys) }
        var missing: [StreamID: StreamID?] = [:]
        for index in without { missing[appends[places[index]].stream] = .some(nil) }
        for append in places.lazy.map({ appends[$0] }) where missing[append.stream] == .some(nil) {
            missing[append.stream] = .some(append.subject)
        }
        // An earlier append may have named another, and be on its way still.
        let named = state.withLock { state in missing.keys.map { ($0, state.keys.subject(of: $0)) } }
        for case (let stream, let subject?) in named { missing[stream] = .some(subject) }
        let looked = try await server.wait(patience) { try await self.lookUp(missing) }
        for index in without {
            let stream = appends[places[index]].stream
            guard let key = looked.keys[stream] else {
                throw EventStoreError(.refused, "the key of stream \(stream) was not found: nothing was stored")
            }
            keys[index] = key
        }
        return AppendKeys(fields: look.fields, keys)
    }

    /// Checks that personal fields can be sealed, if the log is sealed.
    ///
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if the key is not here; `.unavailable` or `.refused` if the
    ///   database cannot be asked.
    func checkKey() async throws {
        guard let encryptionKey = try await currentLook().state.encryptionKey, keys[encryptionKey] == nil else {
            return
        }
        throw keys.unavailable(encryptionKey)
    }

    /// Forgets the subject that an append named if it was not the stream's first append: earlier events decide who the
    /// stream is about, and the next append looks it up.
    func learn(from results: [(place: Int, result: AppendResult)], naming streams: [Int: StreamID]) {
        let doubtful = results.compactMap { place, result -> StreamID? in
            guard let stream = streams[place] else { return nil }
            if case .success(let receipt) = result, receipt.firstVersion == 1 { return nil }
            return stream
        }
        forget(doubtful)
    }

    /// Forgets the keys of streams whose appends failed, whatever subject these named.
    func forget(_ streams: [StreamID]) {
        guard !streams.isEmpty else { return }
        state.withLock { state in for stream in streams { state.keys.forget(stream) } }
    }

    /// Forgets everything: the server that will be asked from now on may never have had the keys.
    func forgetAll() {
        state.withLock { state in (state.look, state.keys) = (nil, RememberedKeys()) }
    }

    /// The keys of unrelated appends: one whose key is missing does not affect the others.
    ///
    /// - Returns: For each what ``keys(for:at:)`` gives for it alone.
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
            // A server that is away erases nobody: what is remembered stays valid, and the append waits where all do.
            // But not for long: the server may be unreachable only from here.
            let known = state.withLock { state -> Look? in
                guard state.answeredAt + patience > .now else { return nil }
                state.askedAt = .now
                return state.look
            }
            if let known { return known }
            return try await server.wait(patience) { try await self.lookUp([:]) }
        }
    }

    /// Looks at the database, once for all callers that want to at the same time.
    private func lookUp(_ wanted: [StreamID: StreamID?]) async throws -> Look {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting.append(Waiter(wanted: wanted, continuation: continuation))
                defer { state.isLooking = true }
                return !state.isLooking
            }
            // Not a child of the task that came first: if that is cancelled, the others still wait. Ends when nobody
            // waits.
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
                    // Not if another look has meanwhile found that these may be stale.
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
