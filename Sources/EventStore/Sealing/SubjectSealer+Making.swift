internal import EventModel
internal import PayloadCodec
internal import Postgres

/// Makes keys that do not exist yet.
extension SubjectSealer {
    /// The keys of streams and of their subjects, made where there are none.
    ///
    /// A new key is on disk before anything is sealed under it: otherwise a crash of the server could take the key,
    /// while an event that it sealed is stored afterwards.
    ///
    /// - Returns: The key of each stream and of its subject, or why it cannot be had: one that does not open does not
    ///   affect the others.
    /// - Throws: `PostgresError`; what the key-encryption key throws that should wrap new keys.
    func keys(
        of wanted: [(stream: StreamID, named: StreamID?)],
        found: [SelectSubjects.Row],
        _ encryptionKey: String,
        on connection: PostgresConnection
    ) async throws -> [StreamID: Result<SealingKey, EventStoreError>] {
        guard let wrapping = keys[encryptionKey] else {
            let error = keys.unavailable(encryptionKey)
            return Dictionary(wanted.map { ($0.stream, .failure(error)) }) { first, _ in first }
        }
        var rows = found
        var made: [StreamID: SealingKey] = [:]
        let without = Set(rows.filter { $0.key == nil }.map(\.subject))
        if !without.isEmpty {
            made = try await makeKeys(of: without, by: wrapping, on: connection)
            if made.count < without.count {
                // Another process made some meanwhile.
                rows = try await connection.query(SelectSubjects(streams: wanted))
            }
        }
        let states = try await keys.unwrap(each: rows.filter { made[$0.subject] == nil }.compactMap(\.key))
        var keys: [StreamID: Result<SealingKey, EventStoreError>] = [:]
        for row in rows {
            let known = row.key.flatMap { key in states[key.id]?.map { SealingKey(id: key.id, $0) } }
            let key =
                made[row.subject].map { .success($0) } ?? known
                ?? .failure(EventStoreError(.refused, "the key of \(row.subject) is neither there nor can it be made"))
            keys[row.stream] = key
            keys[row.subject] = key
        }
        return keys
    }

    /// Makes keys, except for subjects that got one from another process meanwhile.
    private func makeKeys(
        of subjects: Set<StreamID>,
        by wrapping: any KeyEncryptionKey,
        on connection: PostgresConnection
    ) async throws -> [StreamID: SealingKey] {
        // Everybody uses the same order, so that two who make the same keys do not deadlock.
        let new = subjects.sorted { $0.uuid.precedes($1.uuid) }.map { (subject: $0, key: SubjectKey()) }
        let wrapped = try await wrapping.wrap(new.map { ($0.subject.uuid.bytes, $0.key) })
        let stored = try await connection.query(
            InsertSubjectKeys(keys: Array(zip(new.map(\.subject), wrapped)), encryptionKey: wrapping.identifier)
        )
        let ids = Dictionary(stored.map { ($0.subject, $0.id) }) { first, _ in first }
        var made: [StreamID: SealingKey] = [:]
        for (subject, key) in new {
            if let id = ids[subject] { made[subject] = SealingKey(id: id, .key(key)) }
        }
        return made
    }
}
