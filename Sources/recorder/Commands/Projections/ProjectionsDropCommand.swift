import ArgumentParser
import Postgres
import Projector

/// `recorder projections drop`: the end of a version that nobody reads.
struct ProjectionsDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Drops the tables and checkpoints of a version that the views do not read.",
        discussion: """
            EXAMPLES
              recorder projections drop conversation_turns --version 1
            """
    )

    @Argument(help: "The projection.")
    var name: String

    @Option(help: "The version.")
    var version: Int

    @OptionGroup var further: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let versions = ProjectionVersions(among: try further.source.files(), configuration: try settings.database())
        try await RunningCommand.cancelledBySignals { try await versions.drop(name, version: version) }
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
