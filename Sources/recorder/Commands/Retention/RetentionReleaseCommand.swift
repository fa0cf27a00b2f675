import ArgumentParser
import EventModel
import Privacy

/// `recorder retention release USER`: ends a hold.
struct RetentionReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Ends a legal hold.",
        discussion: """
            EXAMPLES
              recorder retention release 019cad8f-ac00-7e4e-a7b6-815d4e98868f
            """
    )

    @Argument(help: "The user's id, a UUID.")
    var user: StreamID

    @OptionGroup var holding: LegalHoldOptions

    func run() async throws {
        let (user, actor) = (user, holding.actor)
        try await holding.withHolds { try await $0.release(user, by: actor) }
        if holding.options.json {
            JSONLine.print { line in
                line.field("user", user.description)
                line.field("held", false)
            }
        } else {
            StandardOutput.shared.line("user \(user) is released")
        }
    }
}
