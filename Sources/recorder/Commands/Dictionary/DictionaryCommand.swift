import ArgumentParser

/// `recorder dictionary`: what payloads are compressed with.
struct DictionaryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dictionary",
        abstract: "Trains and lists the dictionaries that payloads are compressed with.",
        discussion: """
            EXAMPLES
              recorder dictionary list
              recorder dictionary train --from-log 10000
            """,
        subcommands: [DictionaryTrainCommand.self, DictionaryListCommand.self]
    )
}
