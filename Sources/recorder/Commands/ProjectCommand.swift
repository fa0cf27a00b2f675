import ArgumentParser
import Logging
import Postgres
import Projector
import Schema
import UnixSignals

/// `recorder project`: the projector.
struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project",
        abstract: "Builds the read models from the log and keeps them up to date.",
        discussion: """
            Makes the tables of projections that have none yet, reads to the head, then waits for more. Any number of \
            processes share the work; one that dies is replaced within seconds. SIGHUP reads the \
            folder of projections again. Ctrl-C or SIGTERM stops it after the batch \
            under way, or after about ten seconds if the server does not answer; a second one ends it at once. With \
            --until-caught-up it ends with status 1 if a stream is stopped at an event that a projection \
            cannot apply: the read models lack what it holds from there on.

            EXAMPLES
              recorder project
              recorder project --workers 4
              recorder project --projections ./projections
              recorder project --until-caught-up
              recorder project --metrics-file /var/lib/node_exporter/recorder.prom
            """
    )

    @Flag(help: "Stop when the read models hold everything that is stored, but for streams that are stopped.")
    var untilCaughtUp = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many events one transaction folds at most.", valueName: "count")
    )
    var batchSize = ProjectorOptions().batchSize

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many workers this process has, each with a connection of its own.", valueName: "count")
    )
    var workers = ProjectorOptions().workers

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many shards a projection gets that has none yet.", valueName: "count")
    )
    var shards = ProjectorOptions().shards

    @Option(help: "What to do with an event that a projection cannot apply: quarantine its stream, or halt.")
    var onFailure = ProjectorOptions.OnFailure.quarantine

    @OptionGroup var projectionSource: ProjectionSourceOptions

    @OptionGroup var metrics: MetricsOptions

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard (1...64).contains(workers) else { throw ValidationError("--workers is 1 to 64.") }
        guard (1...256).contains(shards) else { throw ValidationError("--shards is 1 to 256.") }
        guard (1...100_000).contains(batchSize) else { throw ValidationError("--batch-size is 1 to 100000.") }
    }

    func run() async throws {
        guard untilCaughtUp else { return try await runAsDaemon() }
        let settings = try await options.settings()
        let bounds = bounds
        let bar = ProgressBar("event")
        defer { bar.finish() }
        let (files, done) = try await metrics.counting(settings.logger) {
            try await RunningCommand.cancelledBySignals {
                let files = try await settings.tellingOfRights {
                    try await settings.waitingForServer { try await projectionSource.source.installed(settings) }
                }
                let projector = try settings.projector(of: files, bounds)
                return (files, try await projector.runUntilCaughtUp { bar.show($0) })
            }
        }
        bar.finish()
        let stopped = try await StoppedStreams.report(of: files, settings)
        if options.json {
            JSONLine.print { line in
                line.field("events", done)
                line.field("stoppedStreams", stopped)
            }
        } else {
            StandardOutput.shared.line("\(Counted.text(done, "event")) projected (\(bar.rate(of: done)))")
        }
        if stopped > 0 { throw ExitCode.failure }
    }

    private func runAsDaemon() async throws {
        // Before anything else: until then a SIGHUP ends the process.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let settings = try await options.settings(logLevel: .info)
        let daemon = ReloadingProjector(
            settings: settings,
            options: bounds,
            source: projectionSource.source,
            hangups: hangups
        )
        try await metrics.counting(settings.logger) {
            try await settings.tellingOfRights {
                try await CommandService.run(
                    [daemon],
                    logger: settings.logger,
                    patience: ReloadingProjector.patience
                )
            }
        }
    }

    private var bounds: ProjectorOptions {
        ProjectorOptions(batchSize: batchSize, workers: workers, shards: shards, onFailure: onFailure)
    }
}

extension ProjectorOptions.OnFailure: ExpressibleByArgument {}
