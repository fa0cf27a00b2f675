internal import Crypto
internal import FoundationEssentials

/// The key of one data subject: seals the personal values in the payloads of events about them.
///
/// AES-256-GCM with a random nonce of 96 bits for each seal. Source: NIST SP 800-38D, 8.2.2 and 8.3: with random nonces
/// a key seals at most 2^32 payloads.
package struct SubjectKey: Sendable {
    /// How many bytes a key has.
    package static let length = 32
    /// By how much sealed bytes are longer: a nonce of 12 bytes before them, a tag of 16 after them.
    package static let overhead = 28

    private let key: SymmetricKey

    /// Makes a new random key.
    package init() { key = SymmetricKey(size: .bits256) }

    /// Makes a key from its bytes.
    ///
    /// - Returns: `nil` if there are not ``length`` of them.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// The key's bytes, to be wrapped.
    package var bytes: [UInt8] { unsafe key.withUnsafeBytes { unsafe Array($0) } }

    /// Lends the key's bytes to `body`.
    func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { unsafe key.withUnsafeBytes(body) }

    /// Seals bytes, such as keys; ``SealingCipher`` does so for payloads.
    ///
    /// - Parameters:
    ///   - plain: The bytes to seal.
    ///   - context: Authenticated data: the sealed bytes open only with the same.
    /// - Returns: Nonce, ciphertext and tag.
    package func seal(_ plain: [UInt8], context: [UInt8]) throws(PayloadCodecError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(plain, using: key, authenticating: context)
            guard let sealed = box.combined else { preconditionFailure("a nonce of 12 bytes stands before the rest") }
            return Array(sealed)
        } catch {
            throw PayloadCodecError(.corrupt, "the cipher failed", cause: error)
        }
    }

    /// Opens what ``seal(_:context:)`` sealed.
    ///
    /// - Returns: `nil` if it was sealed under another key or for another context, or was changed.
    package func open(_ sealed: ArraySlice<UInt8>, context: [UInt8]) -> [UInt8]? {
        guard sealed.count >= Self.overhead, let box = try? AES.GCM.SealedBox(combined: sealed),
            let plain = try? AES.GCM.open(box, using: key, authenticating: context)
        else { return nil }
        return Array(plain)
    }
}
