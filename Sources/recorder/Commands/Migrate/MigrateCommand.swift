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

    /// Says which migrations were run.
    static func report(_ migrations: [Migration], _ verb: String, json: Bool) {
        for migration in migrations {
            if json {
                JSONLine.print { line in
                    line.field("version", migration.version)
                    line.field("name", migration.name)
                    line.field("action", verb)
                }
            } else {
                StandardOutput.shared.line("\(migration.title) \(verb)")
            }
        }
        if migrations.isEmpty, !json { StandardOutput.shared.line("nothing to do") }
    }
}
