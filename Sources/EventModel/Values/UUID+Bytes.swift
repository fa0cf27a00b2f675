package import FoundationEssentials

/// The value of an ASCII hexadecimal digit, or 0xFF.
@inline(__always)
func hexValue(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
    default: 0xFF
    }
}

extension UUID {
    /// Reads the 36 characters of RFC 9562's text form, in either case; nil for anything else.
    package init?(ascii bytes: Span<UInt8>, in range: Range<Int>) {
        guard range.count == 36, range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        let text = bytes.extracting(range)
        let dash = UInt8(ascii: "-")
        guard text[8] == dash, text[13] == dash, text[18] == dash, text[23] == dash,
            let first = UUID.eightDigits(text, at: 0, 4), let second = UUID.eightDigits(text, at: 9, 14),
            let third = UUID.eightDigits(text, at: 19, 24), let fourth = UUID.eightDigits(text, at: 28, 32)
        else { return nil }
        self.init(high: first << 32 | second, low: third << 32 | fourth)
    }

    /// The value of eight hexadecimal digits in two groups of four, all converted at once.
    private static func eightDigits(_ text: Span<UInt8>, at first: Int, _ second: Int) -> UInt64? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs = ones &* 0x80
        var word: UInt64 = 0
        for index in 0..<4 { word = word << 8 | UInt64(text[first &+ index]) }
        for index in 0..<4 { word = word << 8 | UInt64(text[second &+ index]) }
        guard word & highs == 0 else { return nil }
        // Bit 6 tells letters from digits; bit 5 makes them lower case.
        let letters = (word &>> 6) & ones
        let lower = word | (letters &<< 5)
        // The highest bit of each sum tells whether its byte is at least 0x30, 0x3A, 0x61, 0x67.
        let digits = (lower &+ ones &* 0x50) & ~(lower &+ ones &* 0x46)
        let hexadecimal = (lower &+ ones &* 0x1F) & ~(lower &+ ones &* 0x19)
        guard (digits | hexadecimal) & highs == highs else { return nil }
        var value = (lower & (ones &* 0x0F)) &+ letters &* 9
        value = (value | value &>> 4) & 0x00FF_00FF_00FF_00FF
        value = (value | value &>> 8) & 0x0000_FFFF_0000_FFFF
        return (value | value &>> 16) & 0xFFFF_FFFF
    }

    /// Reads the text form, in either case; nil for anything that is not exactly 36 characters of it.
    package init?(text: String) {
        let bytes = [UInt8](text.utf8)
        self.init(ascii: bytes.span, in: 0..<bytes.count)
    }

    /// The UUID whose first eight bytes are `high` and whose last eight are `low`, both big endian.
    package init(high: UInt64, low: UInt64) {
        func byte(_ word: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 &- 8 &* index)) }
        self.init(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3),
                byte(high, 4), byte(high, 5), byte(high, 6), byte(high, 7),
                byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3),
                byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
            )
        )
    }

    /// The first eight bytes, big endian.
    package var high: UInt64 { word(at: 0) }

    /// The last eight bytes, big endian.
    package var low: UInt64 { word(at: 8) }

    @inline(__always)
    private func word(at offset: Int) -> UInt64 {
        unsafe withUnsafeBytes(of: uuid) { bytes in
            unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
    }

    /// Whether both UUIDs have the same bytes, by two comparisons of eight bytes.
    package func isSame(as other: UUID) -> Bool { low == other.low && high == other.high }

    /// Whether this UUID comes before another in the order of their bytes. For UUIDv7 this is the order of time, and on
    /// the server the order of the type `uuid`.
    package func precedes(_ other: UUID) -> Bool {
        high == other.high ? low < other.low : high < other.high
    }

    /// Appends the text form in lower case, 36 bytes.
    package func appendText(to bytes: inout [UInt8]) {
        var buffer = (high: high, low: low)
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 { bytes.append(UInt8(ascii: "-")) }
            let byte: UInt8
            if index < 8 {
                byte = UInt8(truncatingIfNeeded: buffer.high >> 56)
                buffer.high <<= 8
            } else {
                byte = UInt8(truncatingIfNeeded: buffer.low >> 56)
                buffer.low <<= 8
            }
            bytes.append(hexDigit(byte >> 4))
            bytes.append(hexDigit(byte & 0xF))
        }
    }

    /// The text form in lower case.
    package var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        appendText(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The lower-case ASCII digit of a value below 16.
@inline(__always)
func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10 }

extension UUID {
    /// The UUID's sixteen bytes.
    package var bytes: [UInt8] { unsafe withUnsafeBytes(of: uuid) { unsafe Array($0) } }
}
