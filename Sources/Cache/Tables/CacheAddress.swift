internal import Crypto
package import FoundationEssentials

/// The address of a value: its user, and the SHA-256 of all that it depends on.
package struct CacheAddress: Hashable, Sendable {
    /// The value's user; `nil` where values belong to nobody.
    package let user: UUID?
    /// The digest, as four words.
    private let words: SIMD4<UInt64>

    /// - Parameters:
    ///   - kind: Keeps equal parts of different kinds apart.
    ///   - user: The value's user.
    ///   - parts: Everything else that the value depends on; the boundaries between parts count.
    package init(_ kind: CacheKind, user: UUID?, parts: [String]) {
        var digest = SHA256()
        for part in [kind.rawValue] + parts {
            let bytes = Array(part.utf8)
            unsafe withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { unsafe digest.update(bufferPointer: $0) }
            digest.update(data: bytes)
        }
        self.init(user: user, digest: Array(digest.finalize()))
    }

    /// - Parameter digest: 32 bytes; missing ones count as 0.
    init(user: UUID?, digest: [UInt8]) {
        var words = SIMD4<UInt64>()
        for (place, byte) in digest.prefix(32).enumerated() { words[place / 8] |= UInt64(byte) << (8 * (place % 8)) }
        self.user = user
        self.words = words
    }

    /// The 32 bytes of the digest.
    package var digest: [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> (8 * ($0 % 8))) }
    }

    package static func == (left: Self, right: Self) -> Bool { left.words == right.words && left.user == right.user }

    /// The digest is as good as random: a part of it is enough.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.x) }
}
