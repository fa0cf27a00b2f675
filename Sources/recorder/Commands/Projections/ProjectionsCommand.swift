import ArgumentParser

/// `recorder projections`: what builds the read models.
struct ProjectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projections",
        abstract: "Shows, verifies, rebuilds and replaces what builds the read models.",
        discussion: """
            EXAMPLES
              recorder projections list
              recorder projections status --watch
              recorder projections retry conversation_turns
              recorder projections verify --sample 1000
              recorder projections rebuild conversation_turns
              recorder projections new interruptions
              recorder projections check projections/interruptions/v1
            """,
        subcommands: [
            ProjectionsListCommand.self, ProjectionsStatusCommand.self, ProjectionsRetryCommand.self,
            ProjectionsVerifyCommand.self, ProjectionsRebuildCommand.self, ProjectionsActivateCommand.self,
            ProjectionsDropCommand.self, ProjectionsNewCommand.self, ProjectionsCheckCommand.self,
        ]
    )
}
