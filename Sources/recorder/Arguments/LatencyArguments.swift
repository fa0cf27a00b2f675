public import ArgumentParser
public import EventModel
public import ReadModel

extension LatencyStage: ExpressibleByArgument {}
extension CostDimension: ExpressibleByArgument {}
extension TurnStage: ExpressibleByArgument {}
extension SessionState: ExpressibleByArgument {}

/// Percentiles as a flag takes them: `50,95,99.9`.
struct PercentileList: ExpressibleByArgument {
    /// The median, the 95th and the 99th.
    static let usual = PercentileList([50, 95, 99])

    /// Numbers from 0 to 100.
    let values: [Double]

    private init(_ values: [Double]) { self.values = values }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let values = parts.compactMap { Double($0) }.filter { (0...100).contains($0) }
        guard values.count == parts.count, Set(values).count == values.count else { return nil }
        self.values = values
    }

    /// What they are called: `p50`, `p99.9`.
    var names: [String] {
        values.map { value in value == value.rounded() ? "p\(Int(value))" : "p\(value)" }
    }
}

/// The step of a series as a flag takes it: `15m`, `1h`, `1d`.
struct SeriesStep: ExpressibleByArgument {
    /// How long it is, a minute or more.
    let duration: Duration

    init?(argument: String) {
        let units: [Character: Int] = ["m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Int(argument.dropLast()),
            (1...1_000_000).contains(count)
        else { return nil }
        duration = .seconds(count * unit)
    }
}

/// Dimensions as a flag takes them: `day,provider`.
struct CostDimensionList: ExpressibleByArgument {
    /// What to sum by, in this order.
    let dimensions: [CostDimension]

    init(_ dimensions: [CostDimension]) { self.dimensions = dimensions }

    init?(argument: String) {
        let names = argument == "none" ? [] : argument.split(separator: ",", omittingEmptySubsequences: false)
        let dimensions = names.compactMap { CostDimension(rawValue: String($0)) }
        guard dimensions.count == names.count, Set(dimensions).count == names.count else { return nil }
        self.dimensions = dimensions
    }
}
