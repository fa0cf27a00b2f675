extension JSONScanner {
    /// Checks the string at the offset, which is on its opening quote, and moves past it.
    ///
    /// - Returns: Whether it holds a backslash.
    mutating func string(_ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
        let start = offset
        var hasEscapes = false
        offset &+= 1
        while true {
            skipPlain(bytes, isValid: false)
            guard offset < end else { throw JSONFault(.unexpectedEnd, at: start) }
            let byte = unsafe bytes[unchecked: offset]
            if byte == UInt8(ascii: "\"") {
                offset &+= 1
                return hasEscapes
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try escape(bytes)
            } else if byte >= 0x80 {
                try multibyte(byte, bytes)
            } else if byte < 0x20 {
                throw JSONFault(.controlCharacter, at: offset)
            } else {
                offset &+= 1
            }
        }
    }

    /// Checks the escape at the offset, which is on its backslash, and moves past it, including a pair's second half.
    private mutating func escape(_ bytes: Span<UInt8>) throws(JSONFault) {
        let start = offset
        offset &+= 1
        guard offset < end else { throw unexpected() }
        let kind = peek(bytes)
        offset &+= 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return
        case UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"): return
        case UInt8(ascii: "u"): break
        default: throw JSONFault(.badEscape, at: start)
        }
        let unit = try codeUnit(bytes, of: start)
        guard unit != 0 else { throw JSONFault(.nulCharacter, at: start) }
        guard unit & 0xF800 == 0xD800 else { return }
        guard unit < 0xDC00, peek(bytes) == UInt8(ascii: "\\") else { throw JSONFault(.loneSurrogate, at: start) }
        offset &+= 1
        guard peek(bytes) == UInt8(ascii: "u") else { throw JSONFault(.loneSurrogate, at: start) }
        offset &+= 1
        guard try codeUnit(bytes, of: start) & 0xFC00 == 0xDC00 else { throw JSONFault(.loneSurrogate, at: start) }
    }

    /// Reads four hexadecimal digits.
    private mutating func codeUnit(_ bytes: Span<UInt8>, of start: Int) throws(JSONFault) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard offset < end else { throw unexpected() }
            let digit = hexValue(peek(bytes))
            guard digit < 16 else { throw JSONFault(.badEscape, at: start) }
            unit = unit << 4 | UInt16(digit)
            offset &+= 1
        }
        return unit
    }

    /// Checks a character of two to four bytes by table 3-7 of the Unicode standard, and moves past it.
    @inline(__always)
    private mutating func multibyte(_ first: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) {
        let length: Int
        var lowest: UInt8 = 0x80
        var highest: UInt8 = 0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { lowest = 0xA0 }
            if first == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { lowest = 0x90 }
            if first == 0xF4 { highest = 0x8F }
        default: throw JSONFault(.invalidUTF8, at: offset)
        }
        guard end &- offset >= length else { throw JSONFault(.invalidUTF8, at: offset) }
        let second = unsafe bytes[unchecked: offset &+ 1]
        guard second >= lowest, second <= highest else { throw JSONFault(.invalidUTF8, at: offset) }
        var index = 2
        while index < length {
            guard unsafe bytes[unchecked: offset &+ index] & 0xC0 == 0x80 else {
                throw JSONFault(.invalidUTF8, at: offset)
            }
            index &+= 1
        }
        offset &+= length
    }
}
