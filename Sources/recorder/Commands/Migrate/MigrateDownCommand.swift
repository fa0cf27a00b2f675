import ArgumentParser
import Schema

/// `recorder migrate down`: reverts migrations.
struct MigrateDownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Takes the last applied migrations back, and with them what they hold.",
        discussion: """
            EXAMPLES
              recorder migrate down
              recorder migrate down --steps 3
            """
    )

    @Option(parsing: .unconditional, help: ArgumentHelp("How many.", valueName: "count"))
    var steps = 1

    @OptionGroup var source: MigrationsOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard steps > 0 else { throw ValidationError("--steps is 1 or more.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let done = try await source.withMigrator(settings) { migrator, connection in
            try await migrator.down(on: connection, steps: steps) { migration in
                MigrateCommand.report(migration, "taken back", json: options.json)
            }
        }
        MigrateCommand.reportNothing(done, json: options.json)
    }
}
