/// Writes JSON as UTF-8 bytes, with commas where they belong and no white space.
package struct JSONWriter: Sendable {
    /// The bytes written so far.
    package private(set) var bytes: [UInt8]
    private var needsComma = false

    /// Starts with nothing written.
    package init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Starts after existing bytes.
    package init(appendingTo bytes: consuming [UInt8]) { self.bytes = bytes }

    /// Removes what was written, and keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    /// Writes `{`.
    package mutating func beginObject() { begin(0x7B) }
    /// Writes `}`.
    package mutating func endObject() { end(0x7D) }
    /// Writes `[`.
    package mutating func beginArray() { begin(0x5B) }
    /// Writes `]`.
    package mutating func endArray() { end(0x5D) }

    /// Writes a member's name and the colon.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(0x3A)
        needsComma = false
    }

    /// Writes a string, escaping what must be escaped.
    package mutating func string(_ text: String) {
        separate()
        bytes.append(0x22)
        JSONWriter.appendEscaped(text.utf8.span, to: &bytes)
        bytes.append(0x22)
        needsComma = true
    }

    /// Writes a whole number.
    package mutating func integer(_ value: Int64) {
        separate()
        JSONWriter.appendDecimal(value, to: &bytes)
        needsComma = true
    }

    /// Writes a number, which must be finite, in the fewest digits that read back as the same number.
    package mutating func double(_ value: Double) {
        precondition(value.isFinite, "JSON has no number that is not finite")
        raw(value.description)
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    /// Writes `null`.
    package mutating func null() { raw("null") }

    /// Writes text that is already JSON, such as a number's exact digits.
    package mutating func raw(_ json: String) {
        separate()
        bytes.append(contentsOf: json.utf8)
        needsComma = true
    }

    /// Writes valid JSON bytes on one line: each line break between tokens becomes a blank.
    package mutating func raw(_ json: [UInt8]) {
        separate()
        let start = bytes.count
        bytes.append(contentsOf: json)
        for index in start..<bytes.count where bytes[index] == 0x0A || bytes[index] == 0x0D { bytes[index] = 0x20 }
        needsComma = true
    }

    /// Writes a string that needs no escaping, such as a UUID, and that `append` adds to the bytes.
    package mutating func plain(_ append: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(0x22)
        append(&bytes)
        bytes.append(0x22)
        needsComma = true
    }

    /// Appends the characters of a JSON string, without quotes; they must be UTF-8.
    package static func appendEscaped(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
        for index in text.indices {
            let byte = text[index]
            switch byte {
            case 0x22, 0x5C:
                bytes.append(0x5C)
                bytes.append(byte)
            case 0x0A:
                bytes.append(contentsOf: [0x5C, 0x6E])
            case 0x0D:
                bytes.append(contentsOf: [0x5C, 0x72])
            case 0x09:
                bytes.append(contentsOf: [0x5C, 0x74])
            case 0..<0x20:
                bytes.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, hexDigit(byte >> 4), hexDigit(byte & 0xF)])
            default: bytes.append(byte)
            }
        }
    }

    /// Appends a whole number's digits.
    package static func appendDecimal(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = value.magnitude
        if value < 0 { bytes.append(0x2D) }
        let start = bytes.count
        repeat {
            bytes.append(0x30 &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Writes `units` / 10^`places` in plain digits, with exactly `places` of them after the point.
    package mutating func decimal(_ units: Int64, places: Int) {
        separate()
        JSONWriter.appendDecimal(units, places: places, to: &bytes)
        needsComma = true
    }

    /// Appends `units` / 10^`places` in plain digits, with exactly `places` of them after the point.
    package static func appendDecimal(_ units: Int64, places: Int, to bytes: inout [UInt8]) {
        guard places > 0 else { return appendDecimal(units, to: &bytes) }
        var scale: UInt64 = 1
        for _ in 0..<places { scale *= 10 }
        let (whole, fraction) = units.magnitude.quotientAndRemainder(dividingBy: scale)
        if units < 0 { bytes.append(0x2D) }
        appendDecimal(Int64(whole), to: &bytes)
        bytes.append(0x2E)
        while scale > 1 {
            scale /= 10
            bytes.append(0x30 &+ UInt8(truncatingIfNeeded: fraction / scale % 10))
        }
    }

    private mutating func separate() {
        if needsComma { bytes.append(0x2C) }
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }
}
