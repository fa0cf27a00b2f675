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
