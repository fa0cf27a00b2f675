import ArgumentParser
import EventModel
import ReadModel

/// `recorder costs`: what calls cost.
struct CostsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "costs",
        abstract: "Sums costs by day, stage, provider, model or session.",
        discussion: """
            Costs are exact. Calls whose cost is not known are counted apart and never taken as 0. The calls of a session to one \
            provider and model in one stage are one row, which stands at the day of the first of them: a session that goes on \
            past midnight (UTC) counts whole at the day before. --from and --until are days, not times in them.

            EXAMPLES
              recorder costs
              recorder costs --by day,provider,model --from 2026-03-01 --until 2026-04-01
              recorder costs --by none --from 2026-03-01 --until 2026-04-01
              recorder costs --by session --user 019cad8f-ac00-7d67-b00a-4911e12a826e --json
            """
    )

    @Option(
        help: ArgumentHelp(
            "What to sum by: any of day, stage, provider, model, session, separated by commas; none for one sum.",
            valueName: "list"
        )
    )
    var by: CostDimensionList?

    @Option(help: ArgumentHelp("Only this session's.", valueName: "id"))
    var session: StreamID?

    @Option(help: ArgumentHelp("Only this user's.", valueName: "id"))
    var user: StreamID?

    @OptionGroup var range: TimeRangeOptions

    @Option(help: ArgumentHelp("Only of this stage: asr, rag, llm, tts.", valueName: "stage"))
    var stage: TurnStage?

    @Option(help: ArgumentHelp("Only of this provider.", valueName: "name"))
    var provider: String?

    @Option(help: ArgumentHelp("Only of this model.", valueName: "name"))
    var model: String?

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        try range.checkDays()
    }

    func run() async throws {
        let settings = try await options.settings()
        var filter = CostFilter()
        filter.session = session
        filter.user = user
        filter.from = range.from
        filter.until = range.until
        filter.stage = stage
        filter.provider = provider
        filter.model = model
        let dimensions = by?.dimensions ?? [.stage, .provider, .model]
        let sums = try await settings.withReadModels { [filter] models in
            let sums = try await models.costs(by: dimensions, filter)
            if sums.allSatisfy({ $0.calls == 0 }) { try await HiddenRows.warn(of: "conversation_costs", models) }
            try await StoppedStreams.warn(of: ["conversation_costs"], stream: session, models)
            if user != nil { try await StoppedStreams.warn(of: ["conversation_sessions"], stream: session, models) }
            return sums
        }
        CostTable.sums(by: dimensions).print(sums, json: options.json) { CostTable.write($1, by: dimensions, to: &$0) }
    }
}
