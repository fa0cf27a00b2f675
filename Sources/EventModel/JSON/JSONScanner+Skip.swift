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
            if byte == 0x22 { return hasEscapes }
            if byte == 0x5C {
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
        case 0x22:
            let hasEscapes = try skipString(bytes)
            return JSONSlice(kind: .string, range: start..<offset, hasEscapes: hasEscapes)
        case 0x7B, 0x5B:
            kind = peek(bytes) == 0x7B ? .object : .array
            var depth = 0
            repeat {
                switch peek(bytes) {
                case 0x22:
                    _ = try skipString(bytes)
                    continue
                case 0x7B, 0x5B: depth &+= 1
                case 0x7D, 0x5D: depth &-= 1
                default: break
                }
                guard offset < end else { throw unexpected() }
                offset &+= 1
            } while depth > 0
        case 0x74:
            kind = .true
            offset &+= 4
        case 0x66:
            kind = .false
            offset &+= 5
        case 0x6E:
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
