import ArgumentParser

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
        subcommands: [LimitsListCommand.self, LimitsResetCommand.self]
    )
}
