import ArgumentParser
import ReadModel

/// `recorder latency`: percentiles over any range, and series.
struct LatencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Shows percentiles of latencies over any range, or a series over time.",
        discussion: """
            Percentiles are within 1 % of the exact ones. A series has a line for each step, also where nothing was \
            measured, with the median, the 95th and the 99th percentile. Of what is older than the minutes that `recorder \
            retention` keeps, whole hours can be asked for: a range or a step that cuts one is refused. Of --from and --until \
            seconds do not count.

            EXAMPLES
              recorder latency
              recorder latency --stage llm --provider openai --percentiles 50,90,99.9
              recorder latency --stage turn --from 2026-03-02 --until 2026-03-03 --series 1h
            """
    )

    @Option(
        help: ArgumentHelp(
            "asr, rag, llm, llm_first_token, tts or turn; several if given several times, all if left out.",
            valueName: "stage"
        )
    )
    var stage: [LatencyStage] = []

    @OptionGroup var range: TimeRangeOptions

    @Option(help: ArgumentHelp("Only of this provider; turns have none, and no model.", valueName: "name"))
    var provider: String?

    @Option(help: ArgumentHelp("Only of this model.", valueName: "name"))
    var model: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Which percentiles, separated by commas; 50,95,99 if left out.", valueName: "list")
    )
    var percentiles: PercentileList?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A series in steps such as 1m, 15m, 1h, 1d.", valueName: "step")
    )
    var series: SeriesStep?

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        try range.checkMinutes()
        guard series != nil else { return }
        if percentiles != nil { throw ValidationError("A series has fixed percentiles: leave --percentiles out.") }
        if stage.count != 1 { throw ValidationError("A series is of one --stage.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        var filter = LatencyFilter()
        filter.from = range.from
        filter.until = range.until
        filter.provider = provider
        filter.model = model
        if let series, let stage = stage.first {
            let buckets = try await settings.withReadModels { models in
                try await StoppedStreams.warn(of: ["latency_metrics"], models)
                return try await models.latencySeries(of: stage, step: series.duration, filter)
            }
            LatencyTables.series.print(buckets, json: options.json) { LatencyTables.write($1, stage: stage, to: &$0) }
        } else {
            let stages = stage.isEmpty ? LatencyStage.allCases : stage
            let wanted = percentiles ?? PercentileList.usual
            let summaries = try await settings.withReadModels { models in
                try await StoppedStreams.warn(of: ["latency_metrics"], models)
                return try await models.latency(of: stages, percentiles: wanted.values, filter)
            }
            LatencyTables.summaries(wanted).print(summaries, json: options.json) { line, summary in
                LatencyTables.write(summary, wanted, to: &line)
            }
        }
    }
}
