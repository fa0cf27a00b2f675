import ArgumentParser
import Schema

/// `recorder migrate new NAME`: files for a new migration.
struct MigrateNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Writes the files of a new migration, numbered after the last.",
        discussion: """
            EXAMPLES
              recorder migrate new add_voice_models
            """
    )

    @Argument(help: "Small letters, digits and underscores.")
    var name: String

    @Option(help: ArgumentHelp("The folder of migrations.", valueName: "folder"), completion: .directory)
    var migrations = "migrations"

    @Flag(help: "Print one JSON object a line.")
    var json = false

    func validate() throws { try ValidationError.checking { try Migrator.check(name: name) } }

    func run() async throws {
        let paths = try Migrator(files: SQLFiles(directory: migrations)).new(name: name)
        for path in paths {
            if json { JSONLine.print { $0.field("path", path) } } else { StandardOutput.shared.line(path) }
        }
    }
}
