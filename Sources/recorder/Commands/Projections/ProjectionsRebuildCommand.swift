import ArgumentParser
import Postgres
import Projector
import Schema
import UnixSignals

/// `recorder projections rebuild`: builds read models anew beside the live ones.
struct ProjectionsRebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Builds read models anew beside the live ones, compares the two, and swaps them.",
        discussion: """
            Readers see the old model until it is swapped, in one short transaction. Several models are built in one reading \
            of the log, which takes a third less than one after another; each is compared and swapped by itself, and where one \
            fails, the others go on. A rebuild that was killed, or stopped by SIGTERM, goes on where it was when the command \
            is run again; Ctrl-C (SIGINT) cancels it without a trace, and so does --cancel for one that was killed. Where a \
            new model differs from the live one, it is not swapped unless --accept-differences says so.

            EXAMPLES
              recorder projections rebuild conversation_turns
              recorder projections rebuild conversation_turns conversation_costs
              recorder projections rebuild --all
              recorder projections rebuild conversation_turns --version 2 --accept-differences
              recorder projections rebuild conversation_turns --cancel
            """
    )

    @Argument(help: "The projections.")
    var names: [String] = []

    @Flag(help: "Rebuild all projections.")
    var all = false

    @Option(parsing: .unconditional, help: "The version to build; the newest unless given. For one projection.")
    var version: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many connections fold at a time.", valueName: "count"))
    var parallelism = RebuildOptions().parallelism

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many events one transaction folds at most.", valueName: "count")
    )
    var batchSize = RebuildOptions().batchSize

    @Flag(help: "Swap although a new model differs from the live one.")
    var acceptDifferences = false

    @Flag(help: "Remove a rebuild that was begun.")
    var cancel = false

    @OptionGroup var projectionSource: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard (1...64).contains(parallelism) else { throw ValidationError("--parallelism is 1 to 64.") }
        guard (1...100_000).contains(batchSize) else { throw ValidationError("--batch-size is 1 to 100000.") }
        guard names.isEmpty == all else {
            throw ValidationError(all ? "Name projections or say --all, not both." : "Name projections, or say --all.")
        }
        guard Set(names).count == names.count else { throw ValidationError("Name each projection once.") }
        guard version ?? 1 > 0 else { throw ValidationError("--version is 1 or more.") }
        guard version == nil || names.count == 1 else { throw ValidationError("--version is for one projection.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let files = try projectionSource.source.files()
        let names = all ? Set(files.map(\.name)).sorted() : names
        let group = try RebuildGroup(
            names.map { ($0, version) },
            among: files,
            configuration: try settings.database(),
            options: RebuildOptions(
                parallelism: parallelism,
                batchSize: batchSize,
                acceptDifferences: acceptDifferences,
                keys: settings.keys
            ),
            logger: settings.logger
        )
        let report = RebuildReport(names: names, json: options.json)
        guard !cancel else { return report.print(cancelled: try await remove(group, settings)) }
        let bar = ProgressBar("event")
        defer { bar.finish() }
        let ending = try await RunningCommand.untilSignal {
            try await settings.tellingOfRights { try await group.run { bar.show($0) } }
        }
        bar.finish()
        switch ending {
        case .stopped(let signal): throw try await stopped(by: signal, group, report, settings)
        case .done(let results):
            _ = try await StoppedStreams.report(of: results.map(\.projection), settings)
            try report.print(results) { bar.rate(of: $0) }
        }
    }

    /// Removes the rebuild after SIGINT, keeps it after SIGTERM, and returns the error to report.
    private func stopped(
        by signal: UnixSignal,
        _ group: RebuildGroup,
        _ report: RebuildReport,
        _ settings: Settings
    ) async throws -> CommandError {
        guard signal == .sigint else {
            return CommandError(.stopped, "stopped before it was done; run the command again, and it goes on")
        }
        return report.cancelled(try await remove(group, settings))
    }

    /// Removes what was built so far.
    private func remove(_ group: RebuildGroup, _ settings: Settings) async throws -> [String] {
        try await RunningCommand.cancelledBySignals { try await settings.tellingOfRights { try await group.cancel() } }
    }
}
