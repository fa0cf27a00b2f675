internal import EventModel
internal import FoundationEssentials
package import PayloadCodec
package import Postgres
internal import Synchronization

/// The subjects' keys for readers: unwrapped many at a time, cached, and forgotten when one was destroyed.
///
/// The cache has a generation, which every erasure raises. A reader that decodes in a transaction passes the generation
/// that its snapshot sees, and so never uses a key that was destroyed before it.
package final class KeyRing: Sendable {
    private struct State {
        var generation: Int64 = -1
        var states: [Int64: PayloadKeys.State] = [:]
        var askedAt = ContinuousClock.now
    }

    private let keys: SealingKeys
    private let state = Mutex(State())

    /// How many keys are remembered at most.
    private static let remembered = 100_000
    /// How long readers outside a transaction trust what is remembered.
    private static let trust = Duration.seconds(1)

    package init(_ keys: SealingKeys = .none) { self.keys = keys }

    /// The keys that some events need.
    ///
    /// - Parameters:
    ///   - events: The events to decode.
    ///   - generation: The generation that the transaction's snapshot sees; `nil` if it was not read.
    ///   - connection: In the transaction in which the events were read, if that matters.
    /// - Returns: The state of each key; nothing for one whose row is missing or does not open: only the events that
    ///   name it fail then.
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if a key-encryption key is not here; ``PostgresError``.
    package func states(
        for events: [StoredEvent],
        generation: Int64? = nil,
        on connection: PostgresConnection
    ) async throws -> [Int64: PayloadKeys.State] {
        var ids: Set<Int64> = []
        for event in events {
            if let id = event.key { ids.insert(id) }
        }
        guard !ids.isEmpty else { return [:] }
        var found: [Int64: PayloadKeys.State] = [:]
        let missing = state.withLock { state -> [Int64] in
            if let generation, generation > state.generation {
                state.states = [:]
                state.generation = generation
            }
            // What a younger transaction learned is not for an older one; without a generation, what is remembered
            // expires.
            guard generation.map({ $0 == state.generation }) ?? (state.askedAt + Self.trust > .now) else {
                return Array(ids)
            }
            for id in ids { found[id] = state.states[id] }
            return ids.filter { found[$0] == nil }
        }
        guard !missing.isEmpty else { return found }
        let rows = try await connection.query(SelectKeys(ids: missing.sorted()))
        let loaded = try await keys.unwrap(rows.compactMap(\.key))
        remember(loaded, generation: rows.first?.generation ?? 0)
        return found.merging(loaded) { _, new in new }
    }

    /// The keys of events that are folded in a transaction: as its snapshot sees them, whatever is remembered.
    ///
    /// - Parameter generation: The generation that the snapshot sees; if it is `nil` and something is sealed, it is
    ///   read.
    package func states(
        for events: [StoredEvent],
        inSnapshotOf generation: Int64?,
        on connection: PostgresConnection
    ) async throws -> [Int64: PayloadKeys.State] {
        var generation = generation
        if generation == nil, events.contains(where: { $0.key != nil }) {
            generation = try await connection.first(SealingState.Select())?.generation
        }
        return try await states(for: events, generation: generation, on: connection)
    }

    private func remember(_ loaded: [Int64: PayloadKeys.State], generation: Int64) {
        state.withLock { state in
            guard generation >= state.generation else { return }
            if generation > state.generation || state.states.count + loaded.count > Self.remembered {
                state.states = [:]
            }
            state.generation = generation
            state.askedAt = .now
            state.states.merge(loaded) { _, new in new }
        }
    }
}

extension StoredEvent {
    /// The id of the key that seals parts of the event; `nil` also for a frame that cannot be read: decoding it reports
    /// why.
    package var key: Int64? {
        guard let first = payload.first, first & PayloadFrame.Flags.sealed.rawValue != 0 else { return nil }
        return try? unsafe payload.span.withUnsafeBytes { (bytes) throws(PayloadCodecError) in
            try unsafe PayloadFrame(parsing: bytes).section?.key
        }
    }

    /// The keys with which to read the event.
    package func keys(_ states: [Int64: PayloadKeys.State]) -> PayloadKeys {
        guard let first = payload.first, first & PayloadFrame.Flags.sealed.rawValue != 0 else { return .none }
        return .known(states, identity: PayloadIdentity(stream: stream.uuid, event: id.uuid))
    }
}
