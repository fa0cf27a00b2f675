import ArgumentParser
import EventModel
import Postgres

/// `recorder dictionary list`: the dictionaries that are stored.
struct DictionaryListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the dictionaries that are stored; the last is used for new events.",
        discussion: """
            EXAMPLES
              recorder dictionary list
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let dictionaries = try await settings.withPool { try await $0.query(SelectDictionaries()) }
        let table = TextTable<SelectDictionaries.Row>([
            .init("id", .right) { "\($0.id)" },
            .init("bytes", .right) { Counted.grouped($0.size) },
            .init("trained at (UTC)") { Figures.moment($0.trainedAt) },
            .init("payloads need it") { $0.isInUse ? "yes" : "no" },
            .init("trained on") { $0.trainedOn },
        ])
        table.print(dictionaries, json: options.json) { line, dictionary in
            line.field("id", Int(dictionary.id))
            line.field("bytes", dictionary.size)
            line.field("trainedAt", dictionary.trainedAt)
            line.field("trainedOn", dictionary.trainedOn)
            line.field("inUse", dictionary.isInUse)
        }
    }
}
