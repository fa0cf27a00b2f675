import ArgumentParser
import Schema

/// `recorder migrate up`: applies migrations.
struct MigrateUpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Applies the migrations that are pending.",
        discussion: """
            Each is one transaction. Several may do this at once: each migration is applied by one of them.

            EXAMPLES
              recorder migrate up
              recorder migrate up --to 7
            """
    )

    @Option(parsing: .unconditional, help: ArgumentHelp("The last one to apply.", valueName: "number"))
    var to: Int?

    @OptionGroup var source: MigrationsOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard to ?? 1 > 0 else { throw ValidationError("--to is the number of a migration: 1 or more.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let done = try await source.withMigrator(settings) { migrator, connection in
            try await migrator.up(on: connection, to: to) { migration in
                MigrateCommand.report(migration, "applied", json: options.json)
            }
        }
        MigrateCommand.reportNothing(done, json: options.json)
    }
}
