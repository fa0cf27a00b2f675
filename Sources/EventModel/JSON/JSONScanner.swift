/// Checks UTF-8 JSON in one forward pass: refuses whatever `events.md` refuses, and builds nothing.
///
/// JSON is as in RFC 8259. Beyond its grammar, these are refused: `\u0000`, half a surrogate pair, a number that is not
/// finite as a `Double` or has more decimals than ``mostDecimals``, and arrays and objects nested deeper than
/// ``deepest``.
///
/// Every read comes after a comparison with the end of the range, which lies inside the span; the unchecked subscripts
/// rely on that.
package struct JSONScanner {
    /// How deep arrays and objects may be nested. A `data` object is the first level.
    package static let deepest = 64
    /// How many digits a number may have after the point, written in full: as many as PostgreSQL's `numeric`.
    package static let mostDecimals = 16_383

    /// The offset of the next byte.
    var offset: Int
    /// The offset after the last byte.
    let end: Int

    init(_ bytes: Span<UInt8>, in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "the range lies outside the bytes")
        offset = range.lowerBound
        end = range.upperBound
    }

    /// Checks that the bytes are one JSON value, surrounded only by white space.
    ///
    /// - Returns: The value's kind and range.
    /// - Throws: ``JSONFault`` for the first fault.
    package static func validate(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONSlice {
        var scanner = JSONScanner(bytes, in: 0..<bytes.count)
        scanner.skipWhitespace(bytes)
        let value = try scanner.value(bytes)
        try scanner.finish(bytes)
        return value
    }

    /// Moves past white space and throws if anything follows.
    mutating func finish(_ bytes: Span<UInt8>) throws(JSONFault) {
        skipWhitespace(bytes)
        guard offset == end else { throw JSONFault(.trailingCharacters, at: offset) }
    }

    /// The next byte; at the end 0, with which nothing begins.
    @inline(__always)
    func peek(_ bytes: Span<UInt8>) -> UInt8 {
        offset < end ? unsafe bytes[unchecked: offset] : 0
    }

    /// Moves past blanks, tabs and line breaks.
    @inline(__always)
    mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while offset < end {
            switch unsafe bytes[unchecked: offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): offset &+= 1
            default: return
            }
        }
    }

    /// The fault for a byte that is not allowed here.
    @inline(never)
    func unexpected() -> JSONFault { JSONFault(offset < end ? .unexpectedCharacter : .unexpectedEnd, at: offset) }

    /// Moves past `byte`, or throws.
    @inline(__always)
    mutating func expect(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) {
        guard peek(bytes) == byte else { throw unexpected() }
        offset &+= 1
    }

    /// Checks the value that begins at the offset and moves past it.
    mutating func value(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONSlice {
        let start = offset
        switch peek(bytes) {
        case UInt8(ascii: "\""):
            let hasEscapes = try string(bytes)
            return JSONSlice(kind: .string, range: start..<offset, hasEscapes: hasEscapes)
        case UInt8(ascii: "{"):
            try container(bytes)
            return JSONSlice(kind: .object, range: start..<offset)
        case UInt8(ascii: "["):
            try container(bytes)
            return JSONSlice(kind: .array, range: start..<offset)
        case let byte:
            let kind = try scalar(byte, bytes)
            return JSONSlice(kind: kind, range: start..<offset)
        }
    }

    /// Checks the array or object that begins at the offset, in a loop with one bit for each level: 1 for an object.
    private mutating func container(_ bytes: Span<UInt8>) throws(JSONFault) {
        var levels: UInt64 = 0
        var depth = 0
        values: while true {
            switch peek(bytes) {
            case UInt8(ascii: "\""):
                _ = try string(bytes)
            case UInt8(ascii: "{"):
                if try opens(&depth, closedBy: UInt8(ascii: "}"), bytes) {
                    levels = levels &<< 1 | 1
                    try key(bytes)
                    continue values
                }
            case UInt8(ascii: "["):
                if try opens(&depth, closedBy: UInt8(ascii: "]"), bytes) {
                    levels = levels &<< 1
                    continue values
                }
            case let byte:
                _ = try scalar(byte, bytes)
            }
            while true {
                if depth == 0 { return }
                skipWhitespace(bytes)
                let isObject = levels & 1 == 1
                switch peek(bytes) {
                case UInt8(ascii: ","):
                    offset &+= 1
                    skipWhitespace(bytes)
                    if isObject { try key(bytes) }
                    continue values
                case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                    offset &+= 1
                    depth &-= 1
                    levels &>>= 1
                default: throw unexpected()
                }
            }
        }
    }

    /// Moves past the opening bracket at the offset; past the closing one too if it follows at once, else a level down.
    ///
    /// - Returns: Whether it went a level down.
    @inline(__always)
    private mutating func opens(
        _ depth: inout Int,
        closedBy close: UInt8,
        _ bytes: Span<UInt8>
    ) throws(JSONFault) -> Bool {
        guard depth < JSONScanner.deepest else { throw JSONFault(.tooDeep, at: offset) }
        offset &+= 1
        skipWhitespace(bytes)
        if peek(bytes) == close {
            offset &+= 1
            return false
        }
        depth &+= 1
        return true
    }

    /// Checks a member's name and the colon, and moves to its value.
    @inline(__always)
    private mutating func key(_ bytes: Span<UInt8>) throws(JSONFault) {
        guard peek(bytes) == UInt8(ascii: "\"") else { throw unexpected() }
        _ = try string(bytes)
        skipWhitespace(bytes)
        try expect(UInt8(ascii: ":"), bytes)
        skipWhitespace(bytes)
    }

    /// Checks a number or a word that begins with `first`.
    @inline(__always)
    private mutating func scalar(_ first: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) -> JSONKind {
        switch first {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try number(bytes)
            return .number
        case UInt8(ascii: "t"):
            try word("true", bytes)
            return .true
        case UInt8(ascii: "f"):
            try word("false", bytes)
            return .false
        case UInt8(ascii: "n"):
            try word("null", bytes)
            return .null
        default: throw unexpected()
        }
    }

    private mutating func word(_ word: String, _ bytes: Span<UInt8>) throws(JSONFault) {
        for byte in word.utf8 { try expect(byte, bytes) }
    }
}
