internal import Crypto
internal import FoundationEssentials

/// Wraps subjects' keys, so that the database alone does not give them away.
///
/// It may be a remote service, so keys are wrapped and unwrapped many at a time.
package protocol KeyEncryptionKey: Sendable {
    /// The name under which the database records which key wrapped a row. Its meaning never changes.
    var identifier: String { get }

    /// Wraps subjects' keys.
    ///
    /// - Parameter keys: The keys, each with the 16 bytes of its subject's id, which unwrapping needs too.
    /// - Returns: The wrapped keys, in order.
    func wrap(_ keys: [(subject: [UInt8], key: SubjectKey)]) async throws -> [[UInt8]]

    /// Unwraps subjects' keys.
    ///
    /// - Parameter keys: Keys that ``wrap(_:)`` returned, each with its subject's id.
    /// - Returns: The keys, in order; `nil` for one that this key did not wrap for that subject.
    func unwrap(_ keys: [(subject: [UInt8], wrapped: [UInt8])]) async throws -> [SubjectKey?]
}

/// A key-encryption key in memory: AES-256-GCM, with the subject's id authenticated.
package struct LocalKeyEncryptionKey: KeyEncryptionKey {
    private let key: SubjectKey

    /// `local:` and the beginning of a hash of the key, so that keys need no names.
    package let identifier: String

    /// Makes a new random key.
    package init() { self.init(SubjectKey()) }

    /// Reads a key of 32 bytes in base64.
    ///
    /// - Returns: `nil` if the text holds anything else.
    package init?(base64 text: some StringProtocol) {
        guard let bytes = Data(base64Encoded: String(text)), let key = SubjectKey(bytes: Array(bytes)) else {
            return nil
        }
        self.init(key)
    }

    private init(_ key: SubjectKey) {
        self.key = key
        let hash = SHA256.hash(data: Array("recorder key-encryption key".utf8) + key.bytes)
        identifier = "local:" + hash.prefix(8).map { Self.hexadecimal($0) }.joined()
    }

    /// The key in base64, for a file that nobody else can read.
    package var base64: String { Data(key.bytes).base64EncodedString() }

    /// The key as a line of a key file, followed by its identifier for people.
    package var line: String { "\(base64)  # \(identifier)" }

    package func wrap(_ keys: [(subject: [UInt8], key: SubjectKey)]) async throws -> [[UInt8]] {
        try keys.map { try key.seal($0.key.bytes, context: Self.context($0.subject)) }
    }

    package func unwrap(_ keys: [(subject: [UInt8], wrapped: [UInt8])]) async throws -> [SubjectKey?] {
        keys.map { wrapped in
            key.open(wrapped.wrapped[...], context: Self.context(wrapped.subject)).flatMap { SubjectKey(bytes: $0) }
        }
    }

    private static func context(_ subject: [UInt8]) -> [UInt8] { Array("recorder subject key".utf8) + subject }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
