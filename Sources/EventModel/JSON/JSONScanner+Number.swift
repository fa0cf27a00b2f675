extension JSONScanner {
    /// Checks the number at the offset and moves past it.
    mutating func number(_ bytes: Span<UInt8>) throws(JSONFault) {
        let start = offset
        if peek(bytes) == UInt8(ascii: "-") { offset &+= 1 }
        if peek(bytes) == UInt8(ascii: "0") {
            offset &+= 1
            if JSONScanner.isDigit(peek(bytes)) { throw JSONFault(.badNumber, at: start) }
        } else {
            try digits(bytes, of: start)
        }
        var decimals = 0..<0
        if peek(bytes) == UInt8(ascii: ".") {
            offset &+= 1
            let first = offset
            try digits(bytes, of: start)
            decimals = first..<offset
        }
        var exponent = 0..<0
        if peek(bytes) | 0x20 == UInt8(ascii: "e") {
            offset &+= 1
            let first = offset
            if peek(bytes) == UInt8(ascii: "+") || peek(bytes) == UInt8(ascii: "-") { offset &+= 1 }
            try digits(bytes, of: start)
            exponent = first..<offset
        }
        // The largest Double has 309 digits, so only such numbers can be larger, or have more decimals than PostgreSQL
        // stores.
        guard !exponent.isEmpty || offset &- start > 300 else { return }
        try checkFinite(bytes, from: start)
        try checkDecimals(decimals.count, exponent, bytes, from: start)
    }

    /// Moves past one or more digits, or throws.
    @inline(__always)
    private mutating func digits(_ bytes: Span<UInt8>, of start: Int) throws(JSONFault) {
        guard JSONScanner.isDigit(peek(bytes)) else {
            throw offset < end ? JSONFault(.badNumber, at: start) : unexpected()
        }
        repeat { offset &+= 1 } while JSONScanner.isDigit(peek(bytes))
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    @inline(never)
    private func checkFinite(_ bytes: Span<UInt8>, from start: Int) throws(JSONFault) {
        let number = JSONSlice(kind: .number, range: start..<offset)
        guard let value = number.double(in: bytes), value.isFinite else { throw JSONFault(.notFinite, at: start) }
    }

    /// Refuses a number that `jsonb` cannot hold because it has too many digits after the point when written in full.
    ///
    /// Source: PostgreSQL manual, section 8.1.2, "Arbitrary Precision Numbers".
    @inline(never)
    private func checkDecimals(
        _ count: Int,
        _ exponent: Range<Int>,
        _ bytes: Span<UInt8>,
        from start: Int
    ) throws(JSONFault) {
        let text = JSONSlice(kind: .number, range: exponent).text(in: bytes)
        // PostgreSQL limits the exponent, even of a zero, to 30 bits.
        guard let power = text.isEmpty ? 0 : Int(text), power.magnitude < 1 << 30 - 1,
            count - power <= JSONScanner.mostDecimals
        else { throw JSONFault(.tooFine, at: start) }
    }
}
