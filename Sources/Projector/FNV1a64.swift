/// The hash FNV-1a with 64 bits: the same in every process, unlike Swift's.
///
/// Source: Fowler, Noll, Vo, Eastlake, "The FNV Non-Cryptographic Hash Algorithm".
struct FNV1a64 {
    /// The hash of what was combined so far.
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The hash of nothing.
    init() {}

    /// The hash of a text's UTF-8.
    init(_ text: String) {
        for byte in text.utf8 { combine(byte) }
    }

    /// Takes in a byte.
    mutating func combine(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
}
