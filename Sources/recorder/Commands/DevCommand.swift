import ArgumentParser
import Logging
import Operations
import Postgres
import Projector
import ServiceLifecycle

/// `recorder dev`: runs an embedded server, with the projector.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Runs a PostgreSQL of its own in .recorder/, migrated, with the projector, until Ctrl-C.",
        discussion: """
            The server listens on a Unix socket only and keeps its data: the next start goes on with it. While it \
            runs, the other commands find it from the same directory without any setting. One process at a time may \
            run it.

            EXAMPLES
              recorder dev
              recorder dev --directory /var/lib/recorder
            """
    )

    @OptionGroup var server: ServerDirectoryOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws { try options.refuseForOwnServer() }

    func run() async throws {
        let settings = try await options.settings(logLevel: .notice).with(directory: server.directory)
        let json = options.json
        let service = CommandService {
            try await EmbeddedRecorder.run(settings) { recorder in
                recorder.announce(json: json)
                try StandardOutput.shared.flush()
                try await recorder.projectUntilCancelled()
            }
        }
        try await service.runUntilSignal(logger: settings.logger)
        StandardError.line("recorder: the server is stopped")
    }
}
