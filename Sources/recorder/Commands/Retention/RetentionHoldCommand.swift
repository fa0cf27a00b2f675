import ArgumentParser
import EventModel
import Privacy

/// `recorder retention hold USER`: keeps all of a user's data.
struct RetentionHoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keeps everything of a user, against erasure and age, until it is released.",
        discussion: """
            The id of a session is refused, and so is one of which nothing is known, unless --unknown says that it is \
            right.

            EXAMPLES
              recorder retention hold 019cad8f-ac00-7e4e-a7b6-815d4e98868f --reason "case 4711"
            """
    )

    @Argument(help: "The user's id, a UUID.")
    var user: StreamID

    @Option(help: ArgumentHelp("Why, in at most 1,000 bytes.", valueName: "text"))
    var reason: String

    @Flag(help: "Also if nothing is known of the user.")
    var unknown = false

    @OptionGroup var holding: LegalHoldOptions

    func validate() throws {
        guard (1...1_000).contains(reason.utf8.count) else { throw ValidationError("--reason has 1 to 1,000 bytes.") }
    }

    func run() async throws {
        let (user, reason, actor, unknown) = (user, reason, holding.actor, unknown)
        let isUnderWay = try await holding.withHolds { holds in
            try await holds.hold(user, reason: reason, by: actor, evenIfUnknown: unknown)
        }
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
