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
    struct Look: Sendable {
        let state: SealingState
        let fields: PersonalFields
        /// The key of each stream that was looked for, and of its subject, or why it cannot be had.
        var keys: [StreamID: Result<SealingKey, EventStoreError>] = [:]
    }

    struct State {
        var look: Look?
        /// When the database was last asked.
        var askedAt = ContinuousClock.now
        /// When it last answered.
        var answeredAt = ContinuousClock.now
        var keys = RememberedKeys()
        /// The callers that wait for a look, the one under way or the next.
        var waiting: [UInt64: Waiter] = [:]
        var lastID: UInt64 = 0
        /// How often everything was forgotten.
        var forgotten = 0
        /// When the server that appends went to last was started.
        var server: PostgresTimestamp?
        var isLooking = false
    }

    let pool: PostgresPool
    let keys: SealingKeys
    private let patience: Duration
    private let server: ServerPatience
    let state = Mutex(State())

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

    /// The keys that seal appends which are stored together. Asks the database for nothing if all of them are
    /// remembered.
    ///
    /// - Returns: A key for each append, `nil` where nothing is personal; `nil` as a whole if the log is not sealed.
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if the log is sealed, something is personal and the key is
    ///   not here; `.unavailable`, `.refused` or `.closed` if keys cannot be looked up; `CancellationError`. Nothing is
    ///   remembered of the streams then.
    func keys(for appends: [some StreamAppend]) async throws -> AppendKeys? {
        do {
            let keys = try await find(for: appends, at: Array(appends.indices))
            for index in appends.indices { _ = try keys?.key(at: index) }
            return keys
        } catch {
            forget(appends.map(\.stream))
            throw error
        }
    }

    /// The keys of unrelated appends: one whose key cannot be had does not affect the others.
    ///
    /// - Parameters:
    ///   - appends: The appends.
    ///   - places: The indices of those that need keys.
    /// - Returns: A key, or a failure, for each place, as ``keys(for:)`` gives it; `nil` as a whole if the log is not
    ///   sealed.
    func keys(forEachOf appends: [some StreamAppend], at places: [Int]) async -> AppendKeys? {
        do {
            return try await find(for: appends, at: places)
        } catch {
            return AppendKeys(error, for: places.count)
        }
    }

    /// - Throws: If it cannot be found out whether the log is sealed.
    private func find(for appends: [some StreamAppend], at places: [Int]) async throws -> AppendKeys? {
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
        var failures: [Int: any Error] = [:]
        do {
            let looked = try await server.wait(patience) { try await self.lookUp(missing) }
            for index in without {
                let stream = appends[places[index]].stream
                switch looked.keys[stream] {
                case .success(let key): keys[index] = key
                case .failure(let error): failures[index] = error
                case nil:
                    failures[index] = EventStoreError(
                        .refused,
                        "the key of stream \(stream) was not found: nothing was stored"
                    )
                }
            }
        } catch {
            // The others' keys are remembered, or they need none.
            for index in without { failures[index] = error }
        }
        return AppendKeys(fields: look.fields, keys, failures: failures)
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
        state.withLock { state in
            (state.look, state.keys) = (nil, RememberedKeys())
            state.forgotten += 1
        }
    }

    /// Forgets everything if appends go to another server from now on than before.
    ///
    /// - Parameter server: When it was started.
    func meet(_ server: PostgresTimestamp) {
        let isOther = state.withLock { state in
            defer { state.server = server }
            return state.server != nil && state.server != server
        }
        if isOther { forgetAll() }
    }

    /// The state of keys by their ids; nothing for those that do not open here, as if they were not there.
    func states(_ rows: [SelectKeys.Row]) async -> [Int64: PayloadKeys.State] {
        (try? await keys.unwrap(rows.compactMap(\.key))) ?? [:]
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
}
