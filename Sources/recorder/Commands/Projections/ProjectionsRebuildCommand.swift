import ArgumentParser
import Postgres
import Projector
import UnixSignals

/// `recorder projections rebuild`: a read model made anew beside the live one.
struct ProjectionsRebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Builds a read model anew beside the live one, compares the two, and swaps them.",
        discussion: """
            Readers see the old model until it is swapped, in one short transaction. A rebuild that was killed, or stopped \
            by SIGTERM, goes on where it was when the command is run again; Ctrl-C (SIGINT) cancels it without a trace, \
            and so does --cancel for one that was killed. Where the new model differs from the live one, nothing is \
            swapped unless --accept-differences says so.

            EXAMPLES
              recorder projections rebuild conversation_turns
              recorder projections rebuild conversation_turns --version 2 --accept-differences
              recorder projections rebuild conversation_turns --cancel
            """
    )

    @Argument(help: "The projection.")
    var name: String

    @Option(help: "The version to build; the newest unless given.")
    var version: Int?

    @Option(help: ArgumentHelp("How many connections fold at a time.", valueName: "count"))
    var parallelism = RebuildOptions().parallelism

    @Option(help: ArgumentHelp("How many events one transaction folds at most.", valueName: "count"))
    var batchSize = RebuildOptions().batchSize

    @Flag(help: "Swap although the new model differs from the live one.")
    var acceptDifferences = false

    @Flag(help: "Remove a rebuild that was begun.")
    var cancel = false

    @OptionGroup var further: ProjectionSourceOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard (1...64).contains(parallelism) else { throw ValidationError("--parallelism is 1 to 64.") }
        guard (1...100_000).contains(batchSize) else { throw ValidationError("--batch-size is 1 to 100000.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let rebuild = try ProjectionRebuild(
            name,
            version: version,
            among: try further.source.files(),
            configuration: try settings.database(),
            options: RebuildOptions(
                parallelism: parallelism,
                batchSize: batchSize,
                acceptDifferences: acceptDifferences,
                keys: settings.keys
            ),
            logger: settings.logger
        )
        guard !cancel else { return try await report(cancelled: rebuild.cancel()) }
        let bar = ProgressBar("event")
        let outcome = Shared<RebuildOutcome?>(nil)
        defer { bar.finish() }
        let signal = try await CommandService.cancellingOnSignal {
            do {
                outcome.value = try await rebuild.run { bar.show($0) }
            } catch let error as ProjectorError where error.code == .modelsDiffer {
                bar.finish()
                if let comparison = error.comparison { DifferenceReport(comparison).print(json: options.json) }
                throw error
            }
        }
        bar.finish()
        guard let outcome = outcome.value else { throw try await stopped(by: signal, rebuild) }
        report(outcome, rate: bar.rate(of: outcome.events))
    }

    /// What there is to say after a signal, once nothing is left that should not be.
    private func stopped(by signal: UnixSignal?, _ rebuild: ProjectionRebuild) async throws -> CommandError {
        guard signal == .sigint else {
            return CommandError(.refused, "stopped before it was done; run the command again, and it goes on")
        }
        let existed = try await rebuild.cancel()
        return CommandError(
            .refused,
            existed
                ? "cancelled: what was built of \(name) is removed, and the live model is what it was"
                : "cancelled, and nothing of it was there to remove: look with `recorder projections status` which version "
                    + "is live"
        )
    }

    private func report(cancelled existed: Bool) {
        if options.json {
            JSONLine.print { $0.field("cancelled", existed) }
        } else {
            StandardOutput.shared.line(
                existed ? "the rebuild of \(name) was removed" : "there was no rebuild of \(name)"
            )
        }
    }

    private func report(_ outcome: RebuildOutcome, rate: String) {
        let differences = outcome.comparison?.differenceCount
        let swap = outcome.swap / .milliseconds(1)
        guard !options.json else {
            return JSONLine.print { line in
                line.field("projection", name)
                line.field("events", outcome.events)
                line.field("resumed", outcome.isResumed)
                line.field("differences", differences)
                line.field("swapMs", swap)
            }
        }
        if let comparison = outcome.comparison { DifferenceReport(comparison).print(json: false) }
        StandardOutput.shared.line(
            "\(name): \(Counted.text(outcome.events, "event")) folded (\(rate))"
                + (outcome.isResumed ? ", resumed" : "")
                + ", swapped in \(Figures.decimal(swap, digits: 1) ?? "-") ms"
        )
    }
}

extension ProgressBar {
    /// Shows how far a rebuild or a verification is.
    func show(_ progress: RebuildProgress) {
        let fraction = progress.total > 0 ? Double(progress.done) / Double(progress.total) : 1
        let left = progress.timeLeft.map { ", \(Int($0 / .seconds(1))) s left" } ?? ""
        let note =
            switch progress.phase {
            case .folding: left
            case .comparing: ", comparing with the live model"
            case .waitingForReaders: ", waiting for transactions that began before"
            case .swapping: ", swapping"
            }
        show(progress.done, fraction: fraction, note: note)
    }
}
