package import FoundationEssentials

/// Writers for known field types, of which other targets append thousands. Generic calls across targets are not
/// specialised, and cost several times as much.
extension PostgresBuffer {
    /// Appends a length or a count, most significant byte first.
    package mutating func append(count value: Int32) { append(value) }

    /// Appends the number of columns, with which a row of COPY begins.
    package mutating func append(columnCount value: Int16) { append(value) }

    /// Appends a NULL field.
    package mutating func appendNull() { append(Int32(-1)) }

    /// Appends an `int8` field.
    package mutating func append(field value: Int64) {
        append(Int32(8))
        append(value)
    }

    /// Appends an `int4` field.
    package mutating func append(field value: Int32) {
        append(Int32(4))
        append(value)
    }

    /// Appends a `uuid` field.
    package mutating func append(field value: UUID) {
        append(Int32(16))
        unsafe withUnsafeBytes(of: value.uuid) { unsafe append(bytes: $0) }
    }

    /// Appends a `text` field.
    package mutating func append(field value: String) {
        append(Int32(clamping: value.utf8.count))
        append(bytes: value.utf8)
    }

    /// Appends a `timestamptz` field.
    package mutating func append(field value: PostgresTimestamp) {
        append(Int32(8))
        append(value.microseconds)
    }

    /// Appends a field whose binary form is a range of `bytes`, after an optional first byte.
    ///
    /// - Parameter prefix: The byte before the others, such as the version of a `jsonb`.
    package mutating func append(
        field bytes: Span<UInt8>,
        in range: Range<Int>,
        prefix: UInt8? = nil
    ) {
        append(Int32(clamping: range.count + (prefix == nil ? 0 : 1)))
        if let prefix { append(prefix) }
        append(bytes, in: range)
    }

    /// Appends a range of `bytes` as they are.
    package mutating func append(_ bytes: Span<UInt8>, in range: Range<Int>) {
        unsafe bytes.extracting(range).withUnsafeBytes { unsafe append(bytes: $0) }
    }

    /// Appends a `numeric` field from a JSON number, or from text that holds a number.
    ///
    /// - Returns: `false` if it is not a number, or one that no read model takes; then nothing was appended.
    package mutating func append(decimalField bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        if let short = ShortDecimal(bytes, in: range) {
            short.append(to: &self)
            return true
        }
        let text = unsafe bytes.extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        guard let decimal = PostgresDecimal(text), decimal.isSummable else { return false }
        append(field: decimal)
        return true
    }
}

/// A decimal number with few digits and no exponent, as nearly all are; read and written without allocating memory.
struct ShortDecimal {
    /// The digits as one integer, padded so that it divides into groups of four from the point in both directions.
    private let groups: UInt64
    /// How many of the groups follow the point.
    private let fractionGroups: Int16
    private let scale: Int16
    private let isNegative: Bool

    /// The most digits that fit, including the zeros that fill the last group.
    private static let mostDigits = 18

    /// - Returns: `nil` for anything else, whether a number or not.
    init?(_ bytes: Span<UInt8>, in range: Range<Int>) {
        var index = range.lowerBound
        guard range.upperBound <= bytes.count, index < range.upperBound, range.count <= Self.mostDigits + 2 else {
            return nil
        }
        isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        var value: UInt64 = 0
        var digits = 0
        var point: Int?
        while index < range.upperBound {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "."), point == nil, digits > 0 {
                point = digits
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
            digits += 1
        }
        let fraction = digits - (point ?? digits)
        let padding = (4 - fraction % 4) % 4
        guard digits > 0, digits + padding <= Self.mostDigits, point != digits else { return nil }
        for _ in 0..<padding { value &*= 10 }
        groups = value
        fractionGroups = Int16((fraction + padding) / 4)
        scale = Int16(fraction)
    }

    /// Source: `numeric_send` in PostgreSQL's `src/backend/utils/adt/numeric.c`.
    func append(to buffer: inout PostgresBuffer) {
        var rest = groups
        var weight = -1 - fractionGroups
        var count: Int16 = 0
        // The lowest group is found first but goes last in the field, so the groups are kept packed until all are
        // known.
        var packed: (UInt64, UInt64) = (0, 0)
        while rest > 0 {
            let group = rest % 10_000
            rest /= 10_000
            weight += 1
            // Trailing zeros are not stored.
            guard count > 0 || group > 0 else { continue }
            packed.1 = packed.1 << 16 | packed.0 >> 48
            packed.0 = packed.0 << 16 | group
            count += 1
        }
        let isZero = count == 0
        buffer.append(count: 8 + 2 * Int32(count))
        buffer.append(count)
        buffer.append(isZero ? 0 : weight)
        buffer.append(isNegative && !isZero ? UInt16(0x4000) : 0)
        buffer.append(scale)
        for _ in 0..<count {
            buffer.append(UInt16(truncatingIfNeeded: packed.0))
            packed.0 = packed.0 >> 16 | packed.1 << 48
            packed.1 >>= 16
        }
    }
}
