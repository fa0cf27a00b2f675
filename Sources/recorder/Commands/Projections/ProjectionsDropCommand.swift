import ArgumentParser
import Postgres
import Projector

/// `recorder projections drop`: drops a version, or a whole projection.
struct ProjectionsDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Drops the tables and checkpoints of a version.",
        discussion: """
            A version that the views read is not dropped unless --with-views drops them too: that is how a projection of \
            your own ends. `recorder project` makes the recorder's own anew.

            EXAMPLES
              recorder projections drop conversation_turns --version 1
              recorder projections drop interruptions --version 1 --projections projections --with-views
            """
    )

    @Argument(help: "The projection.")
    var name: String

    @Option(parsing: .unconditional, help: "The version.")
    var version: Int

    @Flag(help: "Drop the views too, if they read this version.")
    var withViews = false

    @OptionGroup var projectionSource: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard version > 0 else { throw ValidationError("--version is 1 or more.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let files = try projectionSource.source.files()
        let versions = ProjectionAdministration(among: files, configuration: try settings.database())
        try await RunningCommand.cancelledBySignals {
            try await versions.drop(name, version: version, withViews: withViews)
        }
        if options.json {
            JSONLine.print { line in
                line.field("projection", name)
                line.field("dropped", version)
            }
        } else {
            StandardOutput.shared.line("version \(version) of \(name) is gone")
        }
    }
}
