import ArgumentParser
import Cache
import EventModel
import ReadModel

/// `recorder limits list`: lists the token buckets.
struct LimitsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Shows the buckets of tokens; those that refused most come first.",
        discussion: """
            A window begins with the first request after the last window ended, and lasts a minute unless the \
            service says otherwise. Buckets that nobody has used for an hour since they became full are gone.

            EXAMPLES
              recorder limits list
              recorder limits list --endpoint chat --limit 0
            """
    )

    @OptionGroup var choice: LimitsChoice

    @Option(parsing: .unconditional, help: ArgumentHelp("How many at most; 0 for all.", valueName: "count"))
    var limit = 20

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit is 0 or more.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let (buckets, isHidden) = try await settings.withPool { pool in
            let buckets = try await RateLimitAdministration(pool).buckets(
                user: choice.user?.uuid,
                endpoint: choice.endpoint,
                limit: limit == 0 ? .max : limit
            )
            guard buckets.isEmpty else { return (buckets, false) }
            let models = ReadModels(pool)
            return (buckets, try await HiddenRows.warn(of: "rate_limits", models, reader: "recorder_owner"))
        }
        if isHidden { return }
        guard options.json || !buckets.isEmpty else { return StandardOutput.shared.line("no limit is in use") }
        Self.table.print(buckets, json: options.json) { line, bucket in
            line.field("user", StreamID(bucket.user).description)
            line.field("endpoint", bucket.endpoint)
            line.field("tokens", bucket.tokens)
            line.field("capacity", bucket.capacity)
            line.field("refillPerSecond", bucket.refillPerSecond)
            line.field("windowStartedAt", Timestamp(bucket.windowStartedAt))
            line.field("windowCount", bucket.windowCount)
            line.field("windowRefused", bucket.windowRefused)
            line.field("lastAskedAt", Timestamp(bucket.lastAskedAt))
        }
    }

    private static let table = TextTable<RateLimitAdministration.Bucket>([
        .init("user") { StreamID($0.user).description },
        .init("endpoint", isFlexible: true) { $0.endpoint },
        .init("tokens", .right) { Figures.decimal($0.tokens, digits: 1) },
        .init("of", .right) { Figures.decimal($0.capacity, digits: 0) },
        .init("a second", .right) { Figures.decimal($0.refillPerSecond, digits: 2) },
        .init("window since (UTC)") { Figures.moment(Timestamp($0.windowStartedAt)) },
        .init("let through", .right) { Counted.grouped($0.windowCount) },
        .init("refused", .right) { Counted.grouped($0.windowRefused) },
        .init("last asked (UTC)") { Figures.moment(Timestamp($0.lastAskedAt)) },
    ])
}
