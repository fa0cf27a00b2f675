import ArgumentParser

/// `recorder subject`: everything that is held about a person.
struct SubjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subject",
        abstract: "Gives out or erases everything that is held about a person.",
        discussion: """
            EXAMPLES
              recorder subject export 019cad8f-ac00-7e4e-a7b6-815d4e98868f --to ada
              recorder subject erase 019cad8f-ac00-7e4e-a7b6-815d4e98868f --scrub
            """,
        subcommands: [SubjectExportCommand.self, SubjectEraseCommand.self]
    )
}
