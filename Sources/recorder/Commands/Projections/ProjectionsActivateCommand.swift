import ArgumentParser
import Postgres
import Projector

/// `recorder projections activate`: which version the views read.
struct ProjectionsActivateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate",
        abstract: "Has a projection's views read one of its versions.",
        discussion: """
            In one transaction; the other versions stay as they are and can be switched back to.

            EXAMPLES
              recorder projections activate conversation_turns --version 1
            """
    )

    @Argument(help: "The projection.")
    var name: String

    @Option(parsing: .unconditional, help: "The version.")
    var version: Int

    @OptionGroup var projectionSource: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard version > 0 else { throw ValidationError("--version is 1 or more.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let files = try projectionSource.source.files()
        let versions = ProjectionAdministration(among: files, configuration: try settings.database())
        try await RunningCommand.cancelledBySignals { try await versions.activate(name, version: version) }
        if options.json {
            JSONLine.print { line in
                line.field("projection", name)
                line.field("active", version)
            }
        } else {
            StandardOutput.shared.line("the views of \(name) read version \(version)")
        }
    }
}
