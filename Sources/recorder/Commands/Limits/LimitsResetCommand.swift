import ArgumentParser
import Cache
import EventModel

/// `recorder limits reset`: refills token buckets.
struct LimitsResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Fills the buckets of a user, of an endpoint, or all.",
        discussion: """
            EXAMPLES
              recorder limits reset --user 019cad8f-ac00-7e4e-a7b6-815d4e98868f
              recorder limits reset --all
            """
    )

    @OptionGroup var choice: LimitsChoice

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
