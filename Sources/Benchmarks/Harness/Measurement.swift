/// What was measured of the recorder, and its limit, measured in the same rounds.
package struct Measurement: Sendable {
    /// A figure over all rounds.
    package struct Figure: Sendable, Hashable {
        /// The median of the rounds.
        package let median: Double
        package let least: Double
        package let most: Double

        /// - Parameter values: One per round, at least one.
        init(_ values: [Double]) {
            let sorted = values.sorted()
            median = Percentile.median(sorted)
            least = sorted.first ?? .nan
            most = sorted.last ?? .nan
        }
    }

    /// The name, such as `append.saturated`.
    package let name: String
    /// What the figures count, such as `events/s`.
    package let unit: String
    package let value: Figure
    /// The limit that it is compared with; `nil` if there is none.
    package let limit: Figure?
    /// The median of the rounds' ratios of value to limit.
    package let ratio: Double?
    package let higherIsBetter: Bool
    /// How often it was measured.
    package let rounds: Int
    /// What else must be known to read the figures.
    package let settings: [String: String]

    /// - Parameters:
    ///   - rounds: What each round gave; at least one.
    ///   - settings: What else must be known to read the figures.
    init(
        _ name: String,
        unit: String,
        higherIsBetter: Bool,
        rounds: [(value: Double, limit: Double?)],
        settings: [String: String] = [:]
    ) {
        self.name = name
        self.unit = unit
        self.higherIsBetter = higherIsBetter
        self.settings = settings
        self.rounds = rounds.count
        value = Figure(rounds.map(\.value))
        let limits = rounds.compactMap(\.limit)
        limit = limits.isEmpty ? nil : Figure(limits)
        let ratios = rounds.compactMap { round in round.limit.map { round.value / $0 } }
        ratio = ratios.isEmpty ? nil : Percentile.median(ratios.sorted())
    }
}
