/// The hash FNV-1a with 128 bits: the same bytes always give the same number.
///
/// Source: Fowler, Noll, Vo, Eastlake, "The FNV Non-Cryptographic Hash Algorithm".
struct FNV1a128 {
    private var value: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

    /// The upper half of the hash of what was combined so far.
    var high: UInt64 { UInt64(truncatingIfNeeded: value >> 64) }
    /// The lower half.
    var low: UInt64 { UInt64(truncatingIfNeeded: value) }

    /// Takes in a byte.
    mutating func combine(_ byte: UInt8) {
        value = (value ^ UInt128(byte)) &* (1 << 88 + 0x13b)
    }

    /// Takes in the eight bytes of a number, the lowest first.
    mutating func combine(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { combine(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    }
}
