import ArgumentParser

/// `recorder audit`: who did what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Lists audited events, and verifies that none was changed or removed.",
        discussion: """
            An event that does not say its result is shown as success, whatever its type is: access.denied too, which is to be \
            appended with "result": "failure".

            EXAMPLES
              recorder audit --user 019cad8f-ac00-7d67-b00a-4911e12a826e
              recorder audit verify
            """,
        subcommands: [AuditListCommand.self, AuditVerifyCommand.self],
        defaultSubcommand: AuditListCommand.self
    )
}
