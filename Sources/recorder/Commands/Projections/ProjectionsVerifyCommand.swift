import ArgumentParser
import Postgres
import Projector
import Schema

/// `recorder projections verify`: are the read models what the log says?
struct ProjectionsVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Folds the log afresh and compares it row by row with the live read models.",
        discussion: """
            Prints each row that differs, up to --limit, and ends with status 1 if there is one. It changes nothing, and \
            readers and projectors go on. With --sample, projections whose rows belong to streams are compared for that \
            many streams, chosen at random; the others are compared whole. A stream that is stopped at an event that the \
            projection cannot apply is no difference: how many there are is said on standard error. Nor is what is older than \
            what `recorder retention` left: how many rows of the log that are is said.

            EXAMPLES
              recorder projections verify
              recorder projections verify conversation_turns --sample 1000
            """
    )

    @Argument(help: "The projection; all of them unless given.")
    var name: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many streams to compare.", valueName: "streams"))
    var sample: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many differences to print of each projection.", valueName: "count")
    )
    var limit = RebuildOptions().differenceLimit

    @Option(parsing: .unconditional, help: ArgumentHelp("How many connections fold at a time.", valueName: "count"))
    var parallelism = RebuildOptions().parallelism

    @OptionGroup var projectionSource: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard sample ?? 1 > 0, (1...64).contains(parallelism), limit > 0 else {
            throw ValidationError("--sample and --limit are at least 1, --parallelism is 1 to 64.")
        }
    }

    func run() async throws {
        let settings = try await options.settings()
        let database = try settings.database()
        let files = try projectionSource.source.files()
        let projections = try await RunningCommand.cancelledBySignals {
            try await settings.tellingOfRights {
                try await ProjectionVerify.active(name, among: files, configuration: database)
            }
        }
        let verifications = projections.map { files in
            ProjectionVerify(
                files,
                configuration: database,
                options: RebuildOptions(parallelism: parallelism, differenceLimit: limit, keys: settings.keys),
                logger: settings.logger
            )
        }
        let ending = try await RunningCommand.untilSignal {
            var differences = 0
            for verify in verifications {
                let bar = ProgressBar("event")
                defer { bar.finish() }
                let outcome = try await verify.run(sample: sample) { bar.show($0) }
                bar.finish()
                report(outcome)
                differences += outcome.comparison.differenceCount
            }
            return differences
        }
        guard case .done(let differences) = ending else {
            try await RunningCommand.cancelledBySignals {
                for verify in verifications { try await verify.discard() }
            }
            throw CancellationError()
        }
        _ = try await StoppedStreams.report(of: projections, settings)
        if differences > 0 { throw ExitCode.failure }
    }

    private func report(_ outcome: VerifyOutcome) {
        let comparison = outcome.comparison
        DifferenceReport(comparison).print(json: options.json)
        let rows = comparison.rows.reduce(0) { $0 + $1.rows }
        if options.json {
            JSONLine.print { line in
                line.field("projection", outcome.projection.name)
                line.field("version", outcome.projection.version)
                line.field("rows", rows)
                line.field("streams", outcome.sampledStreams)
                line.field("differences", comparison.differenceCount)
                line.field("pastRetention", comparison.pastRetention)
            }
        } else {
            let scope = outcome.sampledStreams.map { " of \(Counted.text($0, "stream"))" } ?? ""
            let past =
                comparison.pastRetention == 0
                ? "" : ", \(Counted.text(comparison.pastRetention, "row")) older than what retention left"
            let whole = sample != nil && outcome.sampledStreams == nil ? " (compared whole: its rows span streams)" : ""
            StandardOutput.shared.line(
                "\(outcome.projection): \(Counted.text(rows, "row"))\(scope) compared\(whole), "
                    + Counted.text(comparison.differenceCount, "difference") + past
            )
        }
    }
}
