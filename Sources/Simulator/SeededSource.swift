internal import EventModel

/// Random numbers that one seed fixes, the same on every machine: it uses only integer arithmetic and the four basic
/// operations of IEEE 754.
struct SeededSource: RandomNumberGenerator, Sendable {
    private var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    mutating func next() -> UInt64 { generator.next() }

    /// A separate source, fixed by this one.
    mutating func split() -> SeededSource { SeededSource(seed: next()) }

    /// At least 0 and below 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Below `bound`, which is positive and small.
    mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) &* UInt64(bound)) >> 32) }

    /// One of `range`.
    mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    /// True in `perMille` of a thousand cases.
    mutating func happens(perMille: Int) -> Bool { below(1000) < perMille }

    /// One of the elements, which must not be empty.
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// A number whose logarithm is normal: half of all lie below `median`, one in six above `median` · e^`sigma`.
    ///
    /// The normal number is a sum of 64 coins and a uniform one, which is normal enough out to five deviations.
    mutating func logNormal(median: Double, sigma: Double) -> Double {
        let coins = Double(next().nonzeroBitCount) - 32 + unit() - 0.5
        return median * SeededSource.power(ofTwo: sigma * coins / 4.0104 * 1.442_695_040_888_963_4)
    }

    /// 2^x by its whole part and a series for the rest, the same bits everywhere, which `libm` does not promise.
    private static func power(ofTwo x: Double) -> Double {
        let whole = x.rounded(.down)
        let rest = (x - whole) * 0.693_147_180_559_945_3
        var term = 1.0
        var sum = 1.0
        for index in 1...12 {
            term *= rest / Double(index)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(whole), significand: sum)
    }
}
