/// The kind of a JSON value.
package enum JSONKind: UInt8, Sendable {
    /// `{ … }`
    case object
    /// `[ … ]`
    case array
    /// `"…"`
    case string
    /// `-1.5e3`
    case number
    /// `true`
    case `true`
    /// `false`
    case `false`
    /// `null`
    case null
}

/// Where a JSON value lies in bytes that were scanned; meaningless without those bytes.
package struct JSONSlice: Hashable, Sendable {
    /// The kind of the value.
    package let kind: JSONKind
    /// Whether it is a string that holds a backslash.
    package let hasEscapes: Bool
    /// The range of the value, including a string's quotes.
    package let range: Range<Int>

    package init(kind: JSONKind, range: Range<Int>, hasEscapes: Bool = false) {
        self.kind = kind
        self.range = range
        self.hasEscapes = hasEscapes
    }

    /// The value's JSON text, unchanged, such as the exact digits of a number.
    package func text(in bytes: Span<UInt8>) -> String { JSONSlice.decode(bytes, range) }

    /// The value's JSON bytes, unchanged.
    package func bytes(in bytes: Span<UInt8>) -> [UInt8] {
        let part = bytes.extracting(range)
        return unsafe part.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// The characters of a string, with escapes resolved; `nil` for any other kind.
    package func string(in bytes: Span<UInt8>) -> String? {
        guard kind == .string else { return nil }
        guard hasEscapes else { return JSONSlice.decode(bytes, content) }
        var decoded: [UInt8] = []
        appendUTF8(in: bytes, to: &decoded)
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Appends the UTF-8 of a string, with escapes resolved; for any other kind, its JSON text.
    package func appendUTF8(in bytes: Span<UInt8>, to result: inout [UInt8]) {
        let range = kind == .string ? content : range
        guard hasEscapes else {
            let part = bytes.extracting(range)
            unsafe part.withUnsafeBufferPointer { unsafe result.append(contentsOf: $0) }
            return
        }
        result.reserveCapacity(result.count + range.count)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let byte = bytes[offset]
            offset += 1
            guard byte == UInt8(ascii: "\\"), offset < range.upperBound else {
                result.append(byte)
                continue
            }
            let escape = bytes[offset]
            offset += 1
            switch escape {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "r"): result.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "t"): result.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "u"):
                let (scalar, next) = JSONSlice.scalar(bytes, at: offset, until: range.upperBound)
                result.append(contentsOf: String(scalar).utf8)
                offset = next
            default: result.append(escape)
            }
        }
    }

    /// Whether this is a string of exactly these characters, escaped or not.
    package func equals(_ name: [UInt8], in bytes: Span<UInt8>) -> Bool {
        guard kind == .string else { return false }
        if hasEscapes {
            var decoded: [UInt8] = []
            appendUTF8(in: bytes, to: &decoded)
            return decoded == name
        }
        let content = content
        guard content.count == name.count else { return false }
        for index in 0..<name.count where bytes[content.lowerBound &+ index] != name[index] { return false }
        return true
    }

    /// Whether this is a string without escapes of exactly these characters.
    func equalsUnescaped(_ name: String, in bytes: Span<UInt8>) -> Bool {
        guard kind == .string, !hasEscapes else { return false }
        var index = content.lowerBound
        let end = content.upperBound
        for byte in name.utf8 {
            guard index < end, bytes[index] == byte else { return false }
            index &+= 1
        }
        return index == end
    }

    /// The value of a whole number in plain digits that fits, such as `-12`; `nil` for `1.0`, `1e3` and other kinds.
    package func integer(in bytes: Span<UInt8>) -> Int? {
        guard kind == .number else { return nil }
        // Up to eighteen digits cannot overflow.
        guard range.count <= 18 else { return Int(text(in: bytes)) }
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        var value = 0
        for index in (isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return isNegative ? -value : value
    }

    /// The value of a whole number that fits, however written: `100`, `100.0`, `1e2`; `nil` for other numbers and
    /// kinds.
    package func wholeNumber(in bytes: Span<UInt8>) -> Int? {
        integer(in: bytes) ?? (kind == .number ? Int(wholeNumber: text(in: bytes)) : nil)
    }

    /// The nearest `Double` to a number; `nil` for other kinds.
    package func double(in bytes: Span<UInt8>) -> Double? {
        kind == .number ? Double(text(in: bytes)) : nil
    }

    /// The value of `true` or `false`; `nil` for other kinds.
    package var bool: Bool? {
        switch kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// The range between a string's quotes, with escapes as written.
    package var content: Range<Int> { range.lowerBound + 1..<max(range.lowerBound + 1, range.upperBound - 1) }

    private static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        let part = bytes.extracting(range)
        return unsafe part.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The scalar of the four digits at `offset`, or of two escapes if they are a pair; U+FFFD if there is none.
    private static func scalar(_ bytes: Span<UInt8>, at offset: Int, until end: Int) -> (Unicode.Scalar, next: Int) {
        guard let unit = hexadecimal(bytes, at: offset, until: end) else { return ("\u{FFFD}", end) }
        if let scalar = Unicode.Scalar(unit) { return (scalar, offset + 4) }
        guard
            unit < 0xDC00, offset + 10 <= end, bytes[offset + 4] == UInt8(ascii: "\\"),
            bytes[offset + 5] == UInt8(ascii: "u"),
            let low = hexadecimal(bytes, at: offset + 6, until: end), low >= 0xDC00, low < 0xE000,
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        else { return ("\u{FFFD}", offset + 4) }
        return (scalar, offset + 10)
    }

    private static func hexadecimal(_ bytes: Span<UInt8>, at offset: Int, until end: Int) -> UInt32? {
        guard offset + 4 <= end else { return nil }
        var value: UInt32 = 0
        for index in offset..<offset + 4 {
            let digit = hexValue(bytes[index])
            guard digit < 16 else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
