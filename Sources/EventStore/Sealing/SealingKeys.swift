internal import EventModel
package import PayloadCodec

/// The key-encryption keys that a process has. The first one is the one that new keys of subjects are wrapped by, where
/// the database does not say otherwise; the others unwrap what was wrapped before a rotation.
///
/// Keys that come from a file are read again when another one is asked for, so that a
/// rotation needs no process to begin anew.
public struct SealingKeys: Sendable {
    private let place: Place

    /// The keys, the first one leading.
    package var keys: [any KeyEncryptionKey] { place.keys }

    /// No key at all: nothing is sealed, and what is sealed cannot be read.
    public static let none = SealingKeys([])

    /// - Parameter keys: Keys of any kind, the leading one first.
    package init(_ keys: [any KeyEncryptionKey]) { place = Place(keys) }

    /// Reads keys from a text: one of 32 bytes in base64 a line, the leading one first. Empty lines, and what stands
    /// behind a `#`, are passed over.
    ///
    /// - Throws: ``EventStoreError`` with `.invalidKey` that names the line, and never what stands there.
    public init(text: String) throws { place = Place(try Self.keys(in: text)) }

    /// Reads keys from a place whose text may change, such as a file: it is read again when a key is asked for that was
    /// not there, once a second at most.
    ///
    /// - Parameters:
    ///   - name: What the place is called in messages, such as `the key file /etc/recorder/keys`.
    ///   - read: Gives its text; see ``init(text:)``. Called by whoever asks for the key, on the same thread.
    /// - Throws: As ``init(text:)``; what `read` throws.
    public init(from name: String, reading read: @escaping @Sendable () throws -> String) throws {
        place = Place(try Self.keys(in: try read()), named: name) { try Self.keys(in: try read()) }
    }

    /// Whether there is none.
    package var isEmpty: Bool { keys.isEmpty }

    /// The key of an identifier, if it is here.
    package subscript(identifier: String) -> (any KeyEncryptionKey)? { place[identifier] }

    /// What is thrown where a key-encryption key is needed that is not here.
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

    /// Unwraps rows of `subject_keys`, those of each key-encryption key together.
    ///
    /// - Returns: What is known of each key now, by its id; nothing of one that does not open.
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

    /// Unwraps rows of `subject_keys` all of which are needed; see ``unwrap(_:)``.
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
    /// Keys of subjects do not open: their rows were changed, or somebody wrote what is none.
    static func closedKeys(_ rows: [SubjectKeyRow]) -> EventStoreError {
        let first = rows.first.map { "key \($0.id) under \($0.encryptionKey)" } ?? ""
        return EventStoreError(
            .keyUnavailable,
            "\(rows.count) of subject_keys do not open, such as \(first): restore their rows from a backup"
        )
    }
}
