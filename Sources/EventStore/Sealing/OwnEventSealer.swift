package import EventModel
internal import FoundationEssentials
internal import PayloadCodec
package import Postgres
internal import Synchronization

/// Seals events about a user, for a service that acts for them and appends by SQL in its own transaction.
///
/// The frames are not compressed, because the function that takes them, `append_own_frames`, reads the unsealed part.
package final class OwnEventSealer: Sendable {
    private let keys: SealingKeys
    private let encoder = PayloadEncoder(compression: .none)
    private let known = Mutex<(state: SealingState, fields: PersonalFields)?>(nil)

    /// - Parameter keys: The key-encryption keys that the process has.
    package init(keys: SealingKeys) { self.keys = keys }

    /// Appends events to a user's stream, if the log is sealed.
    ///
    /// - Parameter connection: In a transaction, acting for the user.
    /// - Returns: `false` if the log is not sealed; nothing was appended then.
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if something is personal and the key-encryption key is not
    ///   here, `.refused` if the user's key can be neither found nor made, `.invalidAppend` if a payload is too large
    ///   or has too many personal values; `PostgresError`.
    package func append(
        _ events: [EventDraft],
        about user: StreamID,
        on connection: isolated PostgresConnection
    ) async throws -> Bool {
        guard let state = try await connection.first(SealingState.Select()), let encryptionKey = state.encryptionKey
        else {
            return false
        }
        let fields = try await fields(state, on: connection)
        let key = fields.concern(events) ? try await key(of: user, encryptionKey, on: connection) : nil
        var found = PersonalFields.Found()
        let frames = try events.map { event in
            fields.find(in: event, &found)
            do throws(PayloadCodecError) {
                guard !found.isEmpty, let key else {
                    return try encoder.encode(data: event.data, metadata: event.metadata).frame
                }
                let seal = found.seal(of: event, in: user, under: key)
                return try encoder.encode(data: event.data, metadata: event.metadata, sealing: seal).frame
            } catch {
                throw EventStoreError(cannotEncode: error, event.id, of: user)
            }
        }
        _ = try await connection.first(AppendOwnFrames(events: events, frames: frames))
        return true
    }

    private func fields(_ state: SealingState, on connection: PostgresConnection) async throws -> PersonalFields {
        if let known = known.withLock({ $0 }), known.state == state { return known.fields }
        let fields = PersonalFields(try await connection.query(SelectPersonalFields()))
        known.withLock { $0 = (state, fields) }
        return fields
    }

    /// The user's key, created if there is none; without a usable key if it was destroyed.
    private func key(
        of user: StreamID,
        _ encryptionKey: String,
        on connection: isolated PostgresConnection
    ) async throws -> SealingKey {
        guard let wrapping = keys[encryptionKey] else { throw keys.unavailable(encryptionKey) }
        let statement = SelectOwnKey(subject: user)
        var row = try await connection.first(statement)
        if row == nil {
            let made = try await wrapping.wrap([(user.uuid.bytes, SubjectKey())])
            try await connection.execute(
                InsertSubjectKeys(keys: [(user, made[0])], encryptionKey: encryptionKey)
            )
            row = try await connection.first(statement)
        }
        guard let row, let state = try await keys.unwrap(all: [row])[row.id] else {
            throw EventStoreError(.refused, "the key of \(user) is neither there nor can it be made")
        }
        return SealingKey(id: row.id, state)
    }

    private struct AppendOwnFrames: PostgresStatement {
        let events: [EventDraft]
        let frames: [[UInt8]]
        let sql = "select count(*) from append_own_frames($1, $2, $3)"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(events.map(\.id.uuid))
            try parameters.append(events.map(\.type.name))
            try parameters.append(frames.map { PostgresBytea($0) })
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
    }
}
