import ArgumentParser
import Privacy

/// The options shared by the commands that change legal holds.
struct LegalHoldOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who does it; stands in the events.", valueName: "name"))
    var actor = "recorder retention"

    @OptionGroup var options: SettingsOptions

    func validate() throws { try ActorName.check(actor) }

    /// Opens the database while `body` runs.
    func withHolds<R>(_ body: (LegalHolds) async throws -> R) async throws -> R {
        try await options.settings().withPool { pool in try await body(LegalHolds(pool)) }
    }
}
