import ArgumentParser

/// `recorder repair`: repairs a log that something from outside has harmed.
struct RepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Repairs a log that something from outside has harmed.",
        discussion: """
            EXAMPLES
              recorder repair restored-log
            """,
        subcommands: [RepairRestoredLogCommand.self]
    )
}
