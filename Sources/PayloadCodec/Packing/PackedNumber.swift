/// Decimal digits and points packed into half bytes: 0 to 9, and 10 for a point.
///
/// The last byte's low half is the number n of characters; if n is odd, its high half is the last character. Before it
/// lie n / 2 bytes with two characters each, the first one in the low half.
struct PackedNumber {
    /// The byte that replaces it in the text.
    static let mark: UInt8 = 4

    /// At least as many characters as are worth a mark, at most as many as half a byte can count.
    private static let lengths = 3...15
    private static let point: UInt8 = 10
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// The offset of its text or its bytes.
    let begin: Int
    /// How many characters its text has.
    let length: Int
    /// How many bytes it is packed into.
    var size: Int { length / 2 + 1 }

    /// Finds the first number in a text that is long enough; it begins and ends with a digit, and a longer one is cut.
    @inline(__always)
    init?(from start: Int, to end: Int, in text: UnsafeRawPointer) {
        var offset = start
        while let digit = unsafe Self.nextDigit(text, from: offset, to: end) {
            var after = digit + 1
            var last = digit
            while after < end, after - digit < Self.lengths.upperBound {
                let byte = unsafe text.load(fromByteOffset: after, as: UInt8.self)
                if byte &- 0x30 < 10 { last = after } else if byte != UInt8(ascii: ".") { break }
                after += 1
            }
            offset = last + 1
            guard offset - digit >= Self.lengths.lowerBound else { continue }
            begin = digit
            length = offset - digit
            return
        }
        return nil
    }

    /// Finds the number whose bytes end before an offset; `nil` if they cannot be a number's.
    @inline(__always)
    init?(before end: Int, from start: Int, in bytes: UnsafeRawPointer) {
        guard end > start else { return nil }
        length = unsafe Int(bytes.load(fromByteOffset: end - 1, as: UInt8.self) & 15)
        begin = end - length / 2 - 1
        guard begin >= start, length > 0 else { return nil }
    }

    /// Packs the text into bytes.
    @inline(__always)
    func write(from text: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        for pair in 0..<(length / 2) {
            let half = unsafe (Self.half(text, begin + 2 * pair), Self.half(text, begin + 2 * pair + 1))
            unsafe target.storeBytes(of: half.0 | half.1 << 4, toByteOffset: pair, as: UInt8.self)
        }
        let rest = length & 1 == 1 ? unsafe Self.half(text, begin + length - 1) : 0
        unsafe target.storeBytes(of: UInt8(length) | rest << 4, toByteOffset: length / 2, as: UInt8.self)
    }

    /// Unpacks the bytes into text; `false` if a half byte is neither a digit nor a point.
    @inline(__always)
    func read(from bytes: UnsafeRawPointer, to target: UnsafeMutableRawPointer) -> Bool {
        var most: UInt8 = 0
        for place in 0..<length {
            let isLast = length & 1 == 1 && place == length - 1
            let byte = unsafe bytes.load(fromByteOffset: begin + place / 2, as: UInt8.self)
            let half = isLast || place & 1 == 1 ? byte >> 4 : byte & 15
            most = max(most, half)
            let character = half == Self.point ? UInt8(ascii: ".") : half + UInt8(ascii: "0")
            unsafe target.storeBytes(of: character, toByteOffset: place, as: UInt8.self)
        }
        return most <= Self.point
    }

    /// The low half of a digit's byte is the digit; a point's is 14.
    @inline(__always)
    private static func half(_ text: UnsafeRawPointer, _ offset: Int) -> UInt8 {
        min(unsafe text.load(fromByteOffset: offset, as: UInt8.self) & 15, point)
    }

    @inline(__always)
    private static func nextDigit(_ text: UnsafeRawPointer, from start: Int, to end: Int) -> Int? {
        var offset = start
        while end - offset >= 8 {
            let word = unsafe text.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
            let distance = word ^ (ones &* 0x30)
            // The high bit is set in each byte that is not a digit; no byte carries into the next.
            let others = ((distance & (ones &* 0x7F)) &+ ones &* 0x76) | distance
            let digits = ~others & (ones &* 0x80)
            if digits != 0 { return offset + digits.trailingZeroBitCount >> 3 }
            offset += 8
        }
        while offset < end {
            if unsafe text.load(fromByteOffset: offset, as: UInt8.self) &- 0x30 < 10 { return offset }
            offset += 1
        }
        return nil
    }
}
