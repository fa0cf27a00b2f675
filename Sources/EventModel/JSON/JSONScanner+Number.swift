extension JSONScanner {
    /// Checks the number at the offset and steps over it.
    mutating func number(_ bytes: Span<UInt8>) throws(JSONFault) {
        let start = offset
        if peek(bytes) == 0x2D { offset &+= 1 }
        if peek(bytes) == 0x30 {
            offset &+= 1
            if JSONScanner.isDigit(peek(bytes)) { throw JSONFault(.badNumber, at: start) }
        } else {
            try digits(bytes, of: start)
        }
        if peek(bytes) == 0x2E {
            offset &+= 1
            try digits(bytes, of: start)
        }
        var hasExponent = false
        if peek(bytes) | 0x20 == 0x65 {
            hasExponent = true
            offset &+= 1
            if peek(bytes) == 0x2B || peek(bytes) == 0x2D { offset &+= 1 }
            try digits(bytes, of: start)
        }
        // The largest Double has 309 digits, so only these can be larger.
        if hasExponent || offset &- start > 300 { try checkFinite(bytes, from: start) }
    }

    /// Steps over one digit or more, or refuses.
    @inline(__always)
    private mutating func digits(_ bytes: Span<UInt8>, of start: Int) throws(JSONFault) {
        guard JSONScanner.isDigit(peek(bytes)) else {
            throw offset < end ? JSONFault(.badNumber, at: start) : unexpected()
        }
        repeat { offset &+= 1 } while JSONScanner.isDigit(peek(bytes))
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inline(never)
    private func checkFinite(_ bytes: Span<UInt8>, from start: Int) throws(JSONFault) {
        let number = JSONSlice(kind: .number, range: start..<offset)
        guard let value = number.double(in: bytes), value.isFinite else { throw JSONFault(.notFinite, at: start) }
    }
}
