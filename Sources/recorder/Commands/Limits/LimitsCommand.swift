import ArgumentParser
import Cache
import EventModel

/// `recorder limits`: how often users use endpoints.
struct LimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Shows and resets the rate limits of users.",
        discussion: """
            EXAMPLES
              recorder limits list --endpoint chat
              recorder limits reset --user 019cad8f-ac00-7e4e-a7b6-815d4e98868f
            """,
        subcommands: [List.self, Reset.self]
    )

    /// Whose limits.
    struct Choice: ParsableArguments {
        @Option(help: ArgumentHelp("Only of this user.", valueName: "uuid"))
        var user: StreamID?

        @Option(help: ArgumentHelp("Only of this endpoint.", valueName: "name"))
        var endpoint: String?
    }

    /// `recorder limits list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the buckets of tokens; those that refused most come first.",
            discussion: """
                A window begins with the first request after the last window ended, and lasts a minute unless the \
                service says otherwise. Buckets that nobody has used for an hour since they became full are gone.

                EXAMPLES
                  recorder limits list
                  recorder limits list --endpoint chat --limit 0
                """
        )

        @OptionGroup var choice: Choice

        @Option(parsing: .unconditional, help: ArgumentHelp("How many at most; 0 for all.", valueName: "count"))
        var limit = 20

        @OptionGroup var options: SettingsOptions

        func validate() throws {
            guard limit >= 0 else { throw ValidationError("--limit is 0 or more.") }
        }

        func run() async throws {
            let settings = try await options.settings()
            let buckets = try await settings.withPool { pool in
                try await RateLimitAdministration(pool).buckets(
                    user: choice.user?.uuid,
                    endpoint: choice.endpoint,
                    limit: limit == 0 ? .max : limit
                )
            }
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

    /// `recorder limits reset`
    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fills the buckets of a user, of an endpoint, or all.",
            discussion: """
                EXAMPLES
                  recorder limits reset --user 019cad8f-ac00-7e4e-a7b6-815d4e98868f
                  recorder limits reset --all
                """
        )

        @OptionGroup var choice: Choice

        @Flag(help: "Of all users and endpoints.")
        var all = false

        @OptionGroup var options: SettingsOptions

        func validate() throws {
            guard (choice.user != nil || choice.endpoint != nil) != all else {
                throw ValidationError("Give --user, --endpoint or both, or --all.")
            }
        }

        func run() async throws {
            let settings = try await options.settings()
            let count = try await settings.withPool { pool in
                try await RateLimitAdministration(pool).reset(user: choice.user?.uuid, endpoint: choice.endpoint)
            }
            guard options.json else { return StandardOutput.shared.line("\(Counted.text(count, "bucket")) filled") }
            JSONLine.print { $0.field("filled", count) }
        }
    }
}
