import ArgumentParser
import Schema

/// `recorder migrate verify`: whether files and schema are what they should be.
struct MigrateVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compares the migrations with what was applied, and the real schema with what they make.",
        discussion: """
            The migrations are run again in a schema that is never committed. Nothing is changed. Status 1 if \
            something differs, or a migration is not applied.

            EXAMPLES
              recorder migrate verify
              recorder migrate verify --projections /etc/recorder/projections
            """
    )

    @OptionGroup var source: MigrationsOptions
    @OptionGroup var projectionSource: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let projections = try projectionSource.source.files()
        let (problems, pending) = try await source.withMigrator(settings) { migrator, connection in
            let problems = try await migrator.verify(projections: projections, on: connection)
            return (problems, try await migrator.status(on: connection).filter { $0.state == .pending })
        }
        for problem in problems {
            if options.json {
                JSONLine.print { line in
                    line.field("code", problem.code.rawValue)
                    line.field("message", problem.message)
                }
            } else {
                StandardOutput.shared.line(problem.message)
            }
        }
        guard problems.isEmpty else {
            throw CommandError(.refused, "schema \(settings.schema) has \(Counted.text(problems.count, "fault"))")
        }
        guard pending.isEmpty else {
            if options.json {
                JSONLine.print { line in
                    line.field("code", "pending")
                    line.field("message", pending.map(\.title).joined(separator: ", "))
                }
            }
            throw CommandError(
                .refused,
                "\(Counted.text(pending.count, "migration")) of schema \(settings.schema) not applied yet: run "
                    + "`recorder migrate up`"
            )
        }
        if !options.json { StandardOutput.shared.line("schema \(settings.schema) is as its migrations make it") }
    }
}
