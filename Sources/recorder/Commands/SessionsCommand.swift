import ArgumentParser
import EventModel
import ReadModel

/// `recorder sessions`: lists sessions.
struct SessionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "Lists sessions, newest first.",
        discussion: """
            A cost with a + behind it is that of some calls; what the others cost is not known. --from and --until are about \
            when a session began.

            EXAMPLES
              recorder sessions
              recorder sessions --has-errors --from 2026-03-01 --until 2026-04-01
              recorder sessions --provider anthropic --min-cost 0.05 --limit 200 --json | jq .id
            """
    )

    @Option(help: ArgumentHelp("Only this user's.", valueName: "id"))
    var user: StreamID?

    @Option(help: "Only those in this state: idle, listening, processing, speaking, interrupted, error.")
    var state: SessionState?

    @Option(help: ArgumentHelp("Only those with this provider, of whichever stage.", valueName: "name"))
    var provider: String?

    @OptionGroup var range: TimeRangeOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Only those that cost as much or more, in US dollars.", valueName: "amount")
    )
    var minCost: Money?

    @Flag(inversion: .prefixedNo, help: "Only those with errors, or without.")
    var hasErrors: Bool?

    @Flag(inversion: .prefixedNo, help: "Only those with transitions outside the table, or without.")
    var hasAnomalies: Bool?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many at most; 0 for all.", valueName: "count"))
    var limit = 50

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit is 0 or more.") }
        if let minCost, minCost.description.hasPrefix("-") { throw ValidationError("--min-cost is 0 or more.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        var filter = SessionFilter()
        filter.user = user
        filter.state = state
        filter.provider = provider
        filter.from = range.from
        filter.until = range.until
        filter.minimumCost = minCost
        filter.hasErrors = hasErrors
        filter.hasAnomalies = hasAnomalies
        var widths: [Int]?
        try await settings.withReadModels { models in
            let count = try await Paging.all(limit, largest: SessionFilter.largestPage) { limit, last in
                filter.limit = limit
                filter.after = last.map { SessionFilter.Place(after: $0) }
                return try await models.sessions(filter)
            } show: { page in
                SessionTables.sessions.print(page, widths: &widths, json: options.json) {
                    SessionTables.write($1, to: &$0)
                }
            }
            if count == 0 { try await HiddenRows.warn(of: "conversation_sessions", models) }
            try await StoppedStreams.warn(of: ["conversation_sessions"], models)
        }
    }
}
