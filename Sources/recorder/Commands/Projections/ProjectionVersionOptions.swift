import ArgumentParser
import Projector

/// Which version of which projection.
struct ProjectionVersionOptions: ParsableArguments {
    @Argument(help: "The projection.")
    var name: String

    @Option(parsing: .unconditional, help: "The version.")
    var version: Int

    @OptionGroup var projectionSource: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard version > 0 else { throw ValidationError("--version is 1 or more.") }
    }

    /// Works on the versions until it is done. SIGINT and SIGTERM cancel the command meanwhile.
    func withVersions(_ body: (ProjectionAdministration) async throws -> Void) async throws {
        let settings = try await options.settings()
        let versions = ProjectionAdministration(
            among: try projectionSource.source.files(),
            configuration: try settings.database()
        )
        try await RunningCommand.cancelledBySignals { try await body(versions) }
    }
}
