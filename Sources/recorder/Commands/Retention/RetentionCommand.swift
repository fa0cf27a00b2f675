import ArgumentParser

/// `recorder retention`: how long things are kept.
struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Deletes what is old enough, by policy, and keeps what is under a legal hold.",
        discussion: """
            EXAMPLES
              recorder retention policies
              recorder retention set deleted_documents --keep-for "7 days"
              recorder retention run --dry-run
              recorder retention hold 019cad8f-ac00-7e4e-a7b6-815d4e98868f --reason "case 4711"
            """,
        subcommands: [
            RetentionRunCommand.self, RetentionPoliciesCommand.self, RetentionSetCommand.self,
            RetentionHoldCommand.self, RetentionReleaseCommand.self, RetentionHoldsCommand.self,
        ]
    )
}
