import EventModel
import ReadModel

/// Costs as a table and as JSON.
enum CostTable {
    /// Sums, one a row.
    static func sums(by dimensions: [CostDimension]) -> TextTable<CostSum> {
        TextTable(
            dimensions.map { dimension in .init(dimension.rawValue) { value(of: dimension, in: $0) } }
                + [
                    .init("calls", .right) { Counted.grouped($0.calls) },
                    .init("tokens in", .right) { Counted.grouped($0.inputTokens) },
                    .init("cached", .right) { Counted.grouped($0.cachedInputTokens) },
                    .init("tokens out", .right) { Counted.grouped($0.outputTokens) },
                    .init("cost", .right) { Figures.dollars($0.cost) },
                    .init("calls of unknown cost", .right) { Counted.grouped($0.uncostedCalls) },
                ]
        )
    }

    /// Writes a sum's fields.
    static func write(_ sum: CostSum, by dimensions: [CostDimension], to line: inout JSONLine) {
        for dimension in dimensions { line.field(dimension.rawValue, value(of: dimension, in: sum)) }
        line.field("calls", sum.calls)
        line.field("inputTokens", sum.inputTokens)
        line.field("cachedInputTokens", sum.cachedInputTokens)
        line.field("outputTokens", sum.outputTokens)
        line.field("cost", sum.cost)
        line.field("uncostedCalls", sum.uncostedCalls)
    }

    private static func value(of dimension: CostDimension, in sum: CostSum) -> String? {
        switch dimension {
        case .day: sum.day
        case .stage: sum.stage
        case .provider: sum.provider
        case .model: sum.model
        case .session: sum.session?.description
        }
    }
}
