internal import PayloadCodec
internal import Postgres
internal import Synchronization

/// What an append is packed with: how its payloads are compressed, and since when the keys that seal them were looked
/// up.
struct AppendPacking: Sendable {
    let encoder: PayloadEncoder
    /// Raised when a connection leads to a server that may lack what the one before it had.
    var generation = 0
}

/// Keeps what appends are packed with in step with the server that stores them.
///
/// After a failover, the server may lack a dictionary or a key that the one before it gave. What was packed before that
/// is noticed cannot be told by its bytes, but by its generation: it is checked before it is stored. The other appends,
/// nearly all of them, cost no question.
final class AppendPackings: Sendable {
    private struct State {
        var current: AppendPacking
        /// When the server that connections lead to was started, which tells servers apart; `nil` if there was no
        /// connection yet, or one was lost.
        var server: PostgresTimestamp?
    }

    private let state: Mutex<State>
    private let sealer: SubjectSealer?

    /// - Parameters:
    ///   - encoder: How payloads are compressed at first.
    ///   - sealer: What gives the keys, if there is anything to seal.
    init(_ encoder: PayloadEncoder, sealer: SubjectSealer?) {
        state = Mutex(State(current: AppendPacking(encoder: encoder)))
        self.sealer = sealer
    }

    /// What to pack with. To be read before keys are looked up: they are as old as this then, or younger.
    var current: AppendPacking { state.withLock { $0.current } }

    /// Takes note that a connection was lost: the next one may lead to another server.
    func doubt() {
        state.withLock { $0.server = nil }
        sealer?.forgetAll()
    }

    /// Sees to it that the server which a new connection leads to has what is used from now on. If it is not known to
    /// be the one before, everything older is out of date.
    ///
    /// - Parameters:
    ///   - server: When the server was started.
    ///   - connection: The new connection.
    /// - Returns: Whether it may be another server than the one before.
    /// - Throws: ``PostgresError``; ``EventStoreError`` with `.corruptEvent` if the newest dictionary is damaged.
    func meet(_ server: PostgresTimestamp, on connection: PostgresConnection) async throws -> Bool {
        let (known, packing) = state.withLock { ($0.server, $0.current) }
        guard known != server else { return false }
        let encoder = try await fitting(packing.encoder, on: connection)
        sealer?.meet(server)
        state.withLock { state in
            state.current = AppendPacking(encoder: encoder, generation: state.current.generation + 1)
            state.server = server
        }
        return packing.generation > 0
    }

    private func fitting(
        _ encoder: PayloadEncoder,
        on connection: PostgresConnection
    ) async throws -> PayloadEncoder {
        guard let dictionary = encoder.dictionary else { return encoder }
        let stored = try await connection.query(SelectChecksums(ids: [dictionary.id]))
        if stored.first?.checksum == dictionary.checksum { return encoder }
        return PayloadEncoder(
            dictionary: try await connection.first(NewestDictionary())?.dictionary(),
            compression: encoder.compression
        )
    }

    // MARK: Checking

    /// Finds the appends that nobody could read if they were stored now, because the server lacks the dictionary or the
    /// key that they were packed with.
    ///
    /// - Parameter requests: Appends in order, which were packed earlier.
    /// - Returns: Those, in order.
    /// - Throws: ``PostgresError``.
    func unreadable(
        among requests: [AppendRequest],
        on connection: PostgresConnection
    ) async throws -> [AppendRequest] {
        let dictionaries = Set(requests.compactMap { $0.dictionary?.id })
        let keys = Set(requests.flatMap { $0.parts.compactMap(\.key) })
        let checksums =
            dictionaries.isEmpty ? [] : try await connection.query(SelectChecksums(ids: Array(dictionaries)))
        let known = Dictionary(uniqueKeysWithValues: checksums.map { ($0.id, $0.checksum) })
        let states =
            keys.isEmpty ? [:] : await sealer?.states(try await connection.query(SelectKeys(ids: Array(keys)))) ?? [:]
        let unreadable = requests.filter { request in
            if let dictionary = request.dictionary, known[dictionary.id] != dictionary.checksum { return true }
            return request.keys.contains { key in !(states[key.id].map(key.isAs) ?? false) }
        }
        if !unreadable.isEmpty { forgetFirst() }
        return unreadable
    }

    /// Has what was packed until now checked, and keys looked up again, if they were looked up before the first
    /// connection: nobody could tell then that it would lead to another server.
    private func forgetFirst() {
        guard current.generation == 1 else { return }
        sealer?.forgetAll()
        state.withLock { $0.current.generation += 1 }
    }

    /// Reads the checksums of dictionaries.
    private struct SelectChecksums: PostgresStatement {
        let ids: [Int16]
        let sql = "select id, checksum from dictionaries where id = any($1::bigint[])"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(ids.map { Int64($0) })
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (id: Int16, checksum: [UInt8]) {
            (try row.decode(at: 0), try row.decode(PostgresBytea.self, at: 1).bytes)
        }
    }
}

extension AppendRequest {
    /// The dictionary without which an event of it cannot be read, if there is one.
    fileprivate var dictionary: PayloadDictionary? {
        guard let dictionary = parcel.packing.encoder.dictionary else { return nil }
        let needsIt = parts.contains { events(of: $0).contains { $0.encoding.rawValue == dictionary.id } }
        return needsIt ? dictionary : nil
    }

    /// The keys that something in it is sealed under.
    fileprivate var keys: [SealingKey] {
        let ids = parts.compactMap(\.key)
        return ids.isEmpty ? [] : parcel.keys.filter { ids.contains($0.id) }
    }
}

extension SealingKey {
    /// Whether it is the key that a row of `subject_keys` holds.
    fileprivate func isAs(_ state: PayloadKeys.State) -> Bool {
        switch state {
        case .key(let stored): key?.bytes == stored.bytes
        case .destroyed: key == nil
        }
    }
}
