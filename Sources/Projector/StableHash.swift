/// A hash that is the same in every process, unlike Swift's: FNV-1a.
enum StableHash {
    /// The hash of a text's UTF-8.
    static func of(_ text: String) -> UInt64 {
        var hash = start
        for byte in text.utf8 { add(byte, to: &hash) }
        return hash
    }

    /// What the hash of nothing is.
    static let start: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Takes one byte more into a hash.
    static func add(_ byte: UInt8, to hash: inout UInt64) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
}
