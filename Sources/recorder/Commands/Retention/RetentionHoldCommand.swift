import ArgumentParser
import EventModel
import Privacy

/// `recorder retention hold USER`: nothing of a user goes.
struct RetentionHoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keeps everything of a user, against erasure and age, until it is released.",
        discussion: """
            EXAMPLES
              recorder retention hold 019cad8f-ac00-7e4e-a7b6-815d4e98868f --reason "case 4711"
            """
    )

    @Argument(help: "The user's id, a UUID.")
    var user: StreamID

    @Option(help: ArgumentHelp("Why, in at most 1,000 bytes.", valueName: "text"))
    var reason: String

    @OptionGroup var holding: LegalHoldOptions

    func validate() throws {
        guard (1...1_000).contains(reason.utf8.count) else { throw ValidationError("--reason has 1 to 1,000 bytes.") }
    }

    func run() async throws {
        let (user, reason, actor) = (user, reason, holding.actor)
        let isUnderWay = try await holding.withHolds { try await $0.hold(user, reason: reason, by: actor) }
        if isUnderWay {
            StandardError.line(
                "recorder: an erasure of this user is under way: it stops before its next step, and what it has done is gone"
            )
        }
        if holding.options.json {
            JSONLine.print { line in
                line.field("user", user.description)
                line.field("held", true)
                line.field("erasureUnderWay", isUnderWay)
            }
        } else {
            StandardOutput.shared.line("user \(user) is held")
        }
    }
}
