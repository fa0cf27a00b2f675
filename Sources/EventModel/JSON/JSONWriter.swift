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
    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    /// Writes `}`.
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    /// Writes `[`.
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    /// Writes `]`.
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// Writes a member's name and the colon.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a string, escaping what must be escaped.
    package mutating func string(_ text: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        JSONWriter.appendEscaped(text.utf8.span, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
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
        for index in start..<bytes.count where bytes[index] == UInt8(ascii: "\n") || bytes[index] == UInt8(ascii: "\r")
        {
            bytes[index] = UInt8(ascii: " ")
        }
        needsComma = true
    }

    /// Writes a string that needs no escaping, such as a UUID, and that `append` adds to the bytes.
    package mutating func plain(_ append: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        append(&bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Appends the characters of a JSON string, without quotes; they must be UTF-8.
    package static func appendEscaped(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
        for index in text.indices {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"):
                bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case UInt8(ascii: "\r"):
                bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "r")])
            case UInt8(ascii: "\t"):
                bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "t")])
            case 0..<0x20:
                bytes.append(contentsOf: [
                    UInt8(ascii: "\\"), UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0"), hexDigit(byte >> 4),
                    hexDigit(byte & 0xF),
                ])
            default: bytes.append(byte)
            }
        }
    }

    /// Appends a whole number's digits.
    package static func appendDecimal(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = value.magnitude
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10))
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
        if units < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDecimal(Int64(whole), to: &bytes)
        bytes.append(UInt8(ascii: "."))
        while scale > 1 {
            scale /= 10
            bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction / scale % 10))
        }
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
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
