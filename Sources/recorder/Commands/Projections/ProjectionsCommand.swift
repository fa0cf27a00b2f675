import ArgumentParser

/// `recorder projections`: what builds the read models.
struct ProjectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projections",
        abstract: "Lists the projections and how far they are behind the log; lays new ones and checks them.",
        discussion: """
            EXAMPLES
              recorder projections list
              recorder projections status --watch
              recorder projections retry conversation_turns
              recorder projections new interruptions
              recorder projections check projections/interruptions/v1
            """,
        subcommands: [
            ProjectionsListCommand.self, ProjectionsStatusCommand.self, ProjectionsRetryCommand.self,
            ProjectionsNewCommand.self, ProjectionsCheckCommand.self,
        ]
    )
}
