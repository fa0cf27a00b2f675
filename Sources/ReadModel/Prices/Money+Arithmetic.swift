public import EventModel

/// Exact arithmetic on decimal digits; no digit is ever rounded away.
extension Money {
    /// Zero.
    public static let zero = Money(magnitude: [], scale: 0, isNegative: false)

    /// Whether it is below zero.
    public var isNegative: Bool { text.hasPrefix("-") }

    /// The sum.
    public static func + (left: Money, right: Money) -> Money {
        let scale = max(left.digits.scale, right.digits.scale)
        let (a, b) = (left.magnitude(scale: scale), right.magnitude(scale: scale))
        if left.isNegative == right.isNegative {
            return Money(magnitude: added(a, b), scale: scale, isNegative: left.isNegative)
        }
        return isLess(a, b)
            ? Money(magnitude: subtracted(b, a), scale: scale, isNegative: right.isNegative)
            : Money(magnitude: subtracted(a, b), scale: scale, isNegative: left.isNegative)
    }

    /// The amount multiplied by a count.
    public static func * (count: Int, amount: Money) -> Money {
        let (digits, scale) = amount.digits
        var product: [UInt8] = []
        var carry: UInt128 = 0
        for digit in digits {
            carry += UInt128(digit) * UInt128(count.magnitude)
            product.append(UInt8(carry % 10))
            carry /= 10
        }
        while carry > 0 {
            product.append(UInt8(carry % 10))
            carry /= 10
        }
        return Money(magnitude: product, scale: scale, isNegative: amount.isNegative != (count < 0))
    }

    /// The digits without sign and point, the least significant first, and how many of them come after the point.
    private var digits: (digits: [UInt8], scale: Int) {
        let parts = text.split(separator: ".", maxSplits: 1)
        let all = text.utf8.filter { (0x30...0x39).contains($0) }.map { $0 - 0x30 }
        return (all.reversed(), parts.count == 2 ? parts[1].utf8.count : 0)
    }

    private func magnitude(scale: Int) -> [UInt8] {
        let (digits, own) = digits
        return [UInt8](repeating: 0, count: scale - own) + digits
    }

    /// Puts an amount together from digits, the least significant first.
    private init(magnitude: [UInt8], scale: Int, isNegative: Bool) {
        var digits = magnitude
        while digits.count > scale, digits.last == 0 { digits.removeLast() }
        while digits.count <= scale { digits.append(0) }
        let isZero = digits.allSatisfy { $0 == 0 }
        var text = isNegative && !isZero ? "-" : ""
        for (index, digit) in digits.enumerated().reversed() {
            text.append(String(digit))
            if index == scale, scale > 0 { text.append(".") }
        }
        self = Money(text) ?? .zero
    }

    private static func added(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var sum: [UInt8] = []
        var carry: UInt8 = 0
        for index in 0..<max(a.count, b.count) {
            let value = (index < a.count ? a[index] : 0) + (index < b.count ? b[index] : 0) + carry
            sum.append(value % 10)
            carry = value / 10
        }
        if carry > 0 { sum.append(carry) }
        return sum
    }

    /// The difference of two magnitudes, the first of which is not the smaller one.
    private static func subtracted(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var difference: [UInt8] = []
        var borrow: Int8 = 0
        for index in a.indices {
            var value = Int8(a[index]) - (index < b.count ? Int8(b[index]) : 0) - borrow
            borrow = value < 0 ? 1 : 0
            if value < 0 { value += 10 }
            difference.append(UInt8(value))
        }
        return difference
    }

    private static func isLess(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        for index in stride(from: max(a.count, b.count) - 1, through: 0, by: -1) {
            let (left, right) = (index < a.count ? a[index] : 0, index < b.count ? b[index] : 0)
            if left != right { return left < right }
        }
        return false
    }
}
