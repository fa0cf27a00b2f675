import ArgumentParser

/// `recorder projections`: what builds the read models.
struct ProjectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projections",
        abstract: "Lists the projections, and how far they are behind the log.",
        discussion: """
            EXAMPLES
              recorder projections list
              recorder projections status --watch
              recorder projections retry conversation_turns
            """,
        subcommands: [ProjectionsListCommand.self, ProjectionsStatusCommand.self, ProjectionsRetryCommand.self]
    )
}
