import ArgumentParser
import EventModel
import Projector

/// `recorder projections retry`: asks the projectors to try streams in quarantine again.
struct ProjectionsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Asks the projectors to try streams in quarantine again, each from the event that failed on.",
        discussion: """
            The worker that holds a stream's shard does it within a second, and `recorder projections status` shows how it \
            ended. Where no projector runs, the next one does it.

            EXAMPLES
              recorder projections retry
              recorder projections retry conversation_turns
              recorder projections retry conversation_turns --stream 019cad8f-ac00-7e4e-a7b6-815d4e98868f
            """
    )

    @Argument(help: "The projection; all of them if left out.")
    var projection: String?

    @Option(help: ArgumentHelp("The stream; all that stand in quarantine if left out.", valueName: "uuid"))
    var stream: StreamID?

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let asked = try await settings.withPool { pool in
            if let projection, try await !ProjectionStatus.names(on: pool).contains(projection) {
                throw CommandError(
                    .notFound,
                    "no projector has a projection \(projection): see `recorder projections status`"
                )
            }
            return try await QuarantinedStream.requestRetry(of: projection, stream: stream, on: pool)
        }
        if options.json {
            JSONLine.print { $0.field("requested", asked) }
        } else {
            StandardOutput.shared.line(
                asked == 0
                    ? "no such stream stands in quarantine"
                    : "\(Counted.text(asked, "stream")) will be tried again, counted once for each projection"
            )
        }
    }
}
