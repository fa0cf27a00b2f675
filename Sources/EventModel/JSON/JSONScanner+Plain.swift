/// 0x01 in each byte of a word.
private let ones: UInt64 = 0x0101_0101_0101_0101
/// The highest bit of each byte of a word.
private let highs: UInt64 = 0x8080_8080_8080_8080

extension JSONScanner {
    /// Steps over bytes inside a string that need no look of their own, eight at a time, up to the first that does or
    /// to the last seven bytes: a quote or a backslash; and a control character or one beyond ASCII, if the string is
    /// still to be checked.
    ///
    /// `(x - ones) & ~x & highs` marks the zero bytes of x, and the lowest mark is always true (Bit Twiddling Hacks,
    /// "Determine if a word has a zero byte").
    ///
    /// - Parameter isValid: Whether the string is known to be valid; a literal, so that nothing is decided in the loop.
    @inline(__always)
    mutating func skipPlain(_ bytes: Span<UInt8>, isValid: Bool) {
        while end &- offset >= 8 {
            let word = unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
                .littleEndian
            let quotes = word ^ 0x2222_2222_2222_2222
            let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
            var special = (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
            if !isValid { special |= (word &- 0x2020_2020_2020_2020) & ~word | word }
            special &= highs
            guard special == 0 else {
                offset &+= special.trailingZeroBitCount &>> 3
                return
            }
            offset &+= 8
        }
    }
}
