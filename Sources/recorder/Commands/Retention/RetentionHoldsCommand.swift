import ArgumentParser
import EventModel
import Privacy

/// `recorder retention holds`: who is held, and why.
struct RetentionHoldsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holds",
        abstract: "Lists the legal holds.",
        discussion: """
            EXAMPLES
              recorder retention holds
              recorder retention holds --json
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let holds = try await options.settings().withPool { try await LegalHolds($0).all() }
        TextTable<LegalHolds.Hold>([
            .init("user") { $0.user.description },
            .init("since (UTC)") { Figures.moment($0.heldAt) },
            .init("by") { $0.heldBy },
            .init("reason", isFlexible: true) { $0.reason },
        ]).print(holds, json: options.json) { line, hold in
            line.field("user", hold.user.description)
            line.field("since", hold.heldAt)
            line.field("by", hold.heldBy)
            line.field("reason", hold.reason)
        }
    }
}
