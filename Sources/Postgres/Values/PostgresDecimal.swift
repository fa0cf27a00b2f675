/// An exact decimal number: PostgreSQL's `numeric`, which loses no digits.
///
/// Kept as the server keeps it: groups of four decimal digits, most significant first.
///
/// Source: `numeric_send` in PostgreSQL's `src/backend/utils/adt/numeric.c`.
package struct PostgresDecimal: Hashable, PostgresEncodable, PostgresDecodable, LosslessStringConvertible {
    /// Whether the number is positive, negative, or a special value.
    enum Sign: UInt16 {
        case positive = 0x0000
        case negative = 0x4000
        case notANumber = 0xC000
        case infinity = 0xD000
        case negativeInfinity = 0xF000
    }

    private static let specials: [(text: String, sign: Sign)] = [
        ("NaN", .notANumber), ("Infinity", .infinity), ("-Infinity", .negativeInfinity),
    ]

    let sign: Sign
    /// The power of 10,000 by which the first group counts.
    let weight: Int16
    /// How many decimal digits follow the point.
    let scale: UInt16
    /// Groups of four decimal digits, 0 … 9,999.
    let groups: [Int16]

    /// The number zero.
    package static let zero = PostgresDecimal(sign: .positive, weight: 0, scale: 0, groups: [])

    private init(sign: Sign, weight: Int16, scale: UInt16, groups: [Int16]) {
        self.sign = sign
        self.weight = weight
        self.scale = scale
        self.groups = groups
    }

    // MARK: Text

    /// Reads decimal text such as `-12.50` or `1.5e-7`, and keeps all its digits after the point.
    ///
    /// - Returns: `nil` if it is not a number, or exceeds what `numeric` holds.
    package init?(_ description: String) {
        if let special = Self.specials.first(where: { $0.text == description }) {
            self.init(sign: special.sign, weight: 0, scale: 0, groups: [])
            return
        }
        var text = description
        let parsed = text.withUTF8 { unsafe PostgresDecimal(ascii: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads a JSON number, or the same without JSON's rule on leading zeros.
    package init?(ascii bytes: UnsafeRawBufferPointer) {
        guard let number = unsafe DecimalText(bytes) else { return nil }
        // Integer digits fill their group from the right, fraction digits from the left.
        let integerDigits = number.integerDigits
        let scale = max(0, number.digits.count - integerDigits)
        guard scale <= 16_383, integerDigits <= 131_072 else { return nil }
        let firstGroup = (integerDigits + 3) / 4 - 1
        let start = integerDigits - (firstGroup + 1) * 4
        var groups: [Int16] = []
        groups.reserveCapacity((number.digits.count - start) / 4 + 1)
        var index = start
        while index < number.digits.count {
            var group: Int16 = 0
            for offset in index..<(index + 4) {
                let digit = number.digits.indices.contains(offset) ? number.digits[offset] : 0
                group = group * 10 + Int16(digit)
            }
            groups.append(group)
            index += 4
        }
        let leading = groups.prefix { $0 == 0 }.count
        groups.removeFirst(leading)
        while groups.last == 0 { groups.removeLast() }
        let isZero = groups.isEmpty
        guard let weight = Int16(exactly: isZero ? 0 : firstGroup - leading) else { return nil }
        self.init(
            sign: number.isNegative && !isZero ? .negative : .positive,
            weight: weight,
            scale: UInt16(scale),
            groups: groups
        )
    }

    /// The most digits before the point, and the most after it, in a number that a read model takes: sums of such
    /// numbers can still be shown as `double precision`, so that one event cannot make a view unreadable.
    package static let mostSummableDigits = 300

    /// Whether a read model takes the number.
    package var isSummable: Bool {
        (sign == .positive || sign == .negative)
            && max((Int(weight) + 1) * 4, Int(scale)) <= Self.mostSummableDigits
    }

    /// The number as the server prints it: with its full scale and without exponent.
    package var description: String {
        if let special = Self.specials.first(where: { $0.sign == sign }) { return special.text }
        var text = sign == .negative ? "-" : ""
        let integer = weight < 0 ? "0" : (0...Int(weight)).map { padded(group: $0) }.joined()
        text += integer.drop(while: { $0 == "0" }).isEmpty ? "0" : integer.drop(while: { $0 == "0" })
        guard scale > 0 else { return text }
        let first = Int(weight) + 1
        let count = (Int(scale) + 3) / 4
        let fraction = (first..<(first + count)).map { padded(group: $0) }.joined().prefix(Int(scale))
        return text + "." + fraction
    }

    private func padded(group index: Int) -> String {
        let value = groups.indices.contains(index) ? Int(groups[index]) : 0
        return String(String(value + 10_000).dropFirst())
    }

    // MARK: Binary

    package static var postgresType: PostgresType { .numeric }
    package static func accepts(_ type: PostgresType) -> Bool { type == .numeric }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(UInt16(groups.count))
        buffer.append(weight)
        buffer.append(sign.rawValue)
        buffer.append(scale)
        for group in groups { buffer.append(group) }
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes, let count = unsafe bytes.integer(UInt16.self, at: 0),
            let weight = unsafe bytes.integer(Int16.self, at: 2),
            let sign = unsafe bytes.integer(UInt16.self, at: 4).flatMap(Sign.init(rawValue:)),
            let scale = unsafe bytes.integer(UInt16.self, at: 6)
        else { return nil }
        let groups = (0..<Int(count)).compactMap { unsafe bytes.integer(Int16.self, at: 8 + 2 * $0) }
        guard groups.count == Int(count), groups.allSatisfy({ (0..<10_000).contains($0) }) else { return nil }
        switch sign {
        case .positive, .negative: self.init(sign: sign, weight: weight, scale: scale, groups: groups)
        // The server sends an infinity with a meaningless scale.
        case .notANumber, .infinity, .negativeInfinity: self.init(sign: sign, weight: 0, scale: 0, groups: [])
        }
    }
}

/// The parts of a number's text: its digits, and how many of them precede the point.
private struct DecimalText {
    var isNegative = false
    /// Decimal digits, most significant first, without leading zeros of the integer part.
    var digits: [UInt8] = []
    /// How many of `digits` precede the point.
    var integerDigits = 0

    init?(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        func byte() -> UInt8? { unsafe index < bytes.count ? bytes[index] : nil }
        if byte() == UInt8(ascii: "-") || byte() == UInt8(ascii: "+") {
            isNegative = byte() == UInt8(ascii: "-")
            index += 1
        }
        var digitsSeen = 0
        func takeDigits(_ take: (UInt8) -> Void) {
            while let next = byte(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) {
                take(next - UInt8(ascii: "0"))
                digitsSeen += 1
                index += 1
            }
        }
        var digits: [UInt8] = []
        takeDigits { digits.append($0) }
        var integerDigits = digits.count
        if byte() == UInt8(ascii: ".") {
            index += 1
            takeDigits { digits.append($0) }
        }
        guard digitsSeen > 0 else { return nil }
        if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
            index += 1
            guard let exponent = unsafe Int(String(decoding: bytes[index...], as: UTF8.self)),
                (-200_000...200_000).contains(exponent)
            else { return nil }
            integerDigits += exponent
            index = bytes.count
        }
        guard index == bytes.count else { return nil }
        let zeros = digits.prefix { $0 == 0 }.count
        // Zero has no integer digits, whatever its exponent says.
        if zeros == digits.count { integerDigits = min(integerDigits, zeros) }
        let dropped = min(zeros, max(0, integerDigits))
        digits.removeFirst(dropped)
        integerDigits -= dropped
        if integerDigits > digits.count { digits += [UInt8](repeating: 0, count: integerDigits - digits.count) }
        if integerDigits < 0 {
            digits = [UInt8](repeating: 0, count: -integerDigits) + digits
            integerDigits = 0
        }
        self.digits = digits
        self.integerDigits = integerDigits
    }
}
