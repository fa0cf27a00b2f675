import EventModel
import ReadModel

/// Latencies as tables and as JSON.
enum LatencyTables {
    /// Summaries of stages, one a row.
    static func summaries(_ percentiles: PercentileList) -> TextTable<LatencySummary> {
        TextTable(
            [
                .init("stage") { $0.stage.rawValue },
                .init("count", .right) { Counted.grouped($0.count) },
                .init("mean ms", .right) { Figures.milliseconds($0.meanMs) },
                .init("min", .right) { Figures.milliseconds($0.minMs) },
            ]
                + percentiles.names.enumerated().map { index, name in
                    .init(name, .right) { Figures.milliseconds($0.percentilesMs[index]) }
                }
                + [.init("max", .right) { Figures.milliseconds($0.maxMs) }]
        )
    }

    /// Steps of a series, one a row.
    static let series = TextTable<LatencyBucket>([
        .init("from (UTC)") { Figures.moment($0.start) },
        .init("count", .right) { Counted.grouped($0.count) },
        .init("mean ms", .right) { Figures.milliseconds($0.meanMs) },
        .init("min", .right) { Figures.milliseconds($0.minMs) },
        .init("p50", .right) { Figures.milliseconds($0.p50Ms) },
        .init("p95", .right) { Figures.milliseconds($0.p95Ms) },
        .init("p99", .right) { Figures.milliseconds($0.p99Ms) },
        .init("max", .right) { Figures.milliseconds($0.maxMs) },
    ])

    /// Writes a summary's fields.
    static func write(_ summary: LatencySummary, _ percentiles: PercentileList, to line: inout JSONLine) {
        line.field("stage", summary.stage.rawValue)
        line.field("count", summary.count)
        line.field("meanMs", summary.meanMs)
        line.field("minMs", summary.minMs)
        line.field("maxMs", summary.maxMs)
        for (name, value) in zip(percentiles.names, summary.percentilesMs) { line.field("\(name)Ms", value) }
    }

    /// Writes a step's fields.
    static func write(_ bucket: LatencyBucket, stage: LatencyStage, to line: inout JSONLine) {
        line.field("stage", stage.rawValue)
        line.field("start", bucket.start)
        line.field("count", bucket.count)
        line.field("meanMs", bucket.meanMs)
        line.field("minMs", bucket.minMs)
        line.field("maxMs", bucket.maxMs)
        line.field("p50Ms", bucket.p50Ms)
        line.field("p95Ms", bucket.p95Ms)
        line.field("p99Ms", bucket.p99Ms)
    }
}
