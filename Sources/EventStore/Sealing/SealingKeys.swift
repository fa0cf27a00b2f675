internal import EventModel
package import PayloadCodec

/// The key-encryption keys of a process. The first one wraps subjects' new keys, unless the database says otherwise;
/// the others unwrap what was wrapped before a rotation.
///
/// Keys from a file are read again when an unknown one is asked for, so a rotation needs no restart.
public struct SealingKeys: Sendable {
    private let place: Place

    /// The keys, the first one leading.
    package var keys: [any KeyEncryptionKey] { place.keys }

    /// No key: nothing is sealed, and what is sealed cannot be read.
    public static let none = SealingKeys([])

    /// - Parameter keys: Keys of any kind, the leading one first.
    package init(_ keys: [any KeyEncryptionKey]) { place = Place(keys) }

    /// Reads keys from a text: on each line 32 bytes in base64, the leading key first. Empty lines, and anything after
    /// a `#`, are ignored.
    ///
    /// - Throws: ``EventStoreError`` with `.invalidKey`, which names the line but never its content.
    public init(text: String) throws { place = Place(try Self.keys(in: text)) }

    /// Reads keys from a place whose text may change, such as a file: it is read again when an unknown key is asked
    /// for, at most once a second.
    ///
    /// - Parameters:
    ///   - name: What messages call the place, such as `the key file /etc/recorder/keys`.
    ///   - read: Returns its text; see ``init(text:)``. Called on the thread of the caller that asks for the key.
    /// - Throws: As ``init(text:)``; what `read` throws.
    public init(from name: String, reading read: @escaping @Sendable () throws -> String) throws {
        place = Place(try Self.keys(in: try read()), named: name) { try Self.keys(in: try read()) }
    }

    /// Whether there are no keys.
    package var isEmpty: Bool { keys.isEmpty }

    /// The key with an identifier, if it is here.
    package subscript(identifier: String) -> (any KeyEncryptionKey)? { place[identifier] }

    /// The error for a key-encryption key that is needed but not here.
    func unavailable(_ identifier: String) -> EventStoreError { place.unavailable(identifier) }

    private static func keys(in text: String) throws -> [any KeyEncryptionKey] {
        var keys: [any KeyEncryptionKey] = []
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            guard !content.isEmpty else { continue }
            guard let key = LocalKeyEncryptionKey(base64: content) else {
                throw EventStoreError(
                    .invalidKey,
                    "line \(number + 1) holds no key: a key is 32 bytes in base64, as `recorder keys new` prints one"
                )
            }
            keys.append(key)
        }
        return keys
    }

    /// Unwraps rows of `subject_keys`, grouped by key-encryption key.
    ///
    /// - Returns: The state of each key, by its id; nothing for one that does not open.
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if a key-encryption key is not here.
    func unwrap(_ rows: [SubjectKeyRow]) async throws -> [Int64: PayloadKeys.State] {
        var states: [Int64: PayloadKeys.State] = [:]
        for (identifier, rows) in Dictionary(grouping: rows, by: \.encryptionKey) {
            let live = rows.filter { $0.wrapped != nil }
            for row in rows where row.wrapped == nil { states[row.id] = .destroyed }
            guard !live.isEmpty else { continue }
            guard let key = self[identifier] else { throw unavailable(identifier) }
            let unwrapped = try await key.unwrap(live.map { ($0.subject.uuid.bytes, $0.wrapped ?? []) })
            for (row, key) in zip(live, unwrapped) {
                if let key { states[row.id] = .key(key) }
            }
        }
        return states
    }

    /// Unwraps rows of `subject_keys`, each by itself; see ``unwrap(_:)``.
    ///
    /// - Returns: The state of each key, by its id; or an error with `.keyUnavailable` if it does not open, or its
    ///   key-encryption key is not here.
    func unwrap(
        each rows: [SubjectKeyRow]
    ) async throws -> [Int64: Result<PayloadKeys.State, EventStoreError>] {
        var results: [Int64: Result<PayloadKeys.State, EventStoreError>] = [:]
        // A key that was destroyed needs none to be known as such.
        let groups = Dictionary(grouping: rows) { $0.wrapped == nil ? nil : $0.encryptionKey }
        for rows in groups.values {
            do {
                let states = try await unwrap(rows)
                for row in rows {
                    results[row.id] = states[row.id].map { .success($0) } ?? .failure(.closedKeys([row]))
                }
            } catch let error as EventStoreError where error.code == .keyUnavailable {
                for row in rows { results[row.id] = .failure(error) }
            }
        }
        return results
    }

    /// Unwraps rows of `subject_keys`, all of which must open; see ``unwrap(_:)``.
    ///
    /// - Throws: ``EventStoreError`` with `.keyUnavailable`, also if one does not open.
    func unwrap(all rows: [SubjectKeyRow]) async throws -> [Int64: PayloadKeys.State] {
        let states = try await unwrap(rows)
        let closed = rows.filter { states[$0.id] == nil }
        guard closed.isEmpty else { throw EventStoreError.closedKeys(closed) }
        return states
    }
}

extension EventStoreError {
    /// Some subjects' keys do not open: their rows were changed, or never held a key.
    static func closedKeys(_ rows: [SubjectKeyRow]) -> EventStoreError {
        let first = rows.first.map { "key \($0.id) under \($0.encryptionKey)" } ?? ""
        return EventStoreError(
            .keyUnavailable,
            "\(rows.count) of subject_keys do not open, such as \(first): restore their rows from a backup"
        )
    }
}
