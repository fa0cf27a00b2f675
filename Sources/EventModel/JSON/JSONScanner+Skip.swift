extension JSONScanner {
    /// Moves past a string of valid JSON; the offset is on its opening quote.
    ///
    /// - Returns: Whether it holds a backslash.
    mutating func skipString(_ bytes: Span<UInt8>) throws(JSONFault) -> Bool {
        let start = offset
        var hasEscapes = false
        offset &+= 1
        while true {
            skipPlain(bytes, isValid: true)
            guard offset < end else { throw JSONFault(.unexpectedEnd, at: start) }
            let byte = unsafe bytes[unchecked: offset]
            offset &+= 1
            if byte == UInt8(ascii: "\"") { return hasEscapes }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                offset &+= 1
            }
        }
    }

    /// Moves past a value of valid JSON.
    mutating func skipValue(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONSlice {
        let start = offset
        let kind: JSONKind
        switch peek(bytes) {
        case UInt8(ascii: "\""):
            let hasEscapes = try skipString(bytes)
            return JSONSlice(kind: .string, range: start..<offset, hasEscapes: hasEscapes)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            kind = peek(bytes) == UInt8(ascii: "{") ? .object : .array
            var depth = 0
            repeat {
                switch peek(bytes) {
                case UInt8(ascii: "\""):
                    _ = try skipString(bytes)
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth &-= 1
                default: break
                }
                guard offset < end else { throw unexpected() }
                offset &+= 1
            } while depth > 0
        case UInt8(ascii: "t"):
            kind = .true
            offset &+= 4
        case UInt8(ascii: "f"):
            kind = .false
            offset &+= 5
        case UInt8(ascii: "n"):
            kind = .null
            offset &+= 4
        default:
            kind = .number
            try number(bytes)
        }
        guard offset <= end else { throw JSONFault(.unexpectedEnd, at: start) }
        return JSONSlice(kind: kind, range: start..<offset)
    }
}
