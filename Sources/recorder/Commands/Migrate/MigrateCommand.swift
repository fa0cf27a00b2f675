import ArgumentParser
import Postgres
import Schema

/// `recorder migrate`: the schema's migrations.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Makes and changes the database's schema.",
        discussion: """
            The program carries its migrations with it; --migrations takes them from a folder instead.

            EXAMPLES
              recorder migrate up
              recorder migrate status
            """,
        subcommands: [
            MigrateUpCommand.self, MigrateDownCommand.self, MigrateStatusCommand.self, MigrateVerifyCommand.self,
            MigrateNewCommand.self,
        ]
    )

    /// Reports that a migration was run, at once, because what follows it may fail.
    static func report(_ migration: Migration, _ verb: String, json: Bool) {
        if json {
            JSONLine.print { line in
                line.field("version", migration.version)
                line.field("name", migration.name)
                line.field("action", verb)
            }
        } else {
            StandardOutput.shared.line("\(migration.title) \(verb)")
        }
        try? StandardOutput.shared.flush()
    }

    /// Reports that there was nothing to run, if so.
    static func reportNothing(_ migrations: [Migration], json: Bool) {
        if migrations.isEmpty, !json { StandardOutput.shared.line("nothing to do") }
    }
}
