import ArgumentParser
import EventModel
import EventStore
import Postgres
import Projector
import Schema

/// `recorder projections status`: how far the read models are behind the log, and why.
struct ProjectionsStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how far each projection is behind the log, who works on it, and what is wrong.",
        discussion: """
            Ends with exit status 1 if a shard has no living owner, a stream stands in quarantine, a projection's SQL \
            fails or waits for a lock, events have waited for 30 seconds while nothing moved, or the log was restored \
            from another cluster and is not repaired; with --max-behind also if a projection is further behind than \
            that. With --json it prints one object for each shard. The rate is measured over a second if anything is \
            behind. The column "events" counts what the batches held that a projection took part in, also what it does \
            not handle: two projections that were ever apart differ by that, and "behind" says what counts.

            EXAMPLES
              recorder projections status
              recorder projections status --shards
              recorder projections status --json | jq .eventsBehind
              recorder projections status --watch
              recorder projections status --max-behind 60
            """
    )

    @Flag(help: "Show each shard on a line of its own.")
    var shards = false

    @Flag(help: "Show it again every second, until Ctrl-C; while the server is away, show that.")
    var watch = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "End with status 1 also if an event has waited for a projection for longer than so many seconds.",
            valueName: "seconds"
        )
    )
    var maxBehind: Double?

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard maxBehind.map({ (0...1e9).contains($0) }) ?? true else {
            throw ValidationError("--max-behind is 0 to 1,000,000,000 seconds.")
        }
    }

    func run() async throws {
        let settings = try await options.settings()
        if watch {
            try await CommandService { _ = try await follow(settings) }.runUntilSignal(logger: settings.logger)
        } else if try await RunningCommand.cancelledBySignals({ try await follow(settings) }) {
            throw ExitCode.failure
        }
    }

    /// Looks until no other look must follow; for ever with --watch.
    ///
    /// - Returns: Whether something is wrong.
    private func follow(_ settings: Settings) async throws -> Bool {
        try await settings.tellingOfRights {
            try await PostgresPool.with(settings.database(), logger: settings.logger) { pool in
                var before: Look?
                while true {
                    do {
                        if let isTroubled = try await look(after: &before, on: pool) { return isTroubled }
                    } catch let error as PostgresError where watch && before != nil && error.isPassing {
                        show(error)
                    }
                    try StandardOutput.shared.flush()
                    try await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    /// What a look found, and when: two of them give a rate.
    private typealias Look = (statuses: [ProjectionStatus], at: ContinuousClock.Instant)

    /// Looks once and prints what it finds.
    ///
    /// - Parameter before: The last look; `nil` for the first.
    /// - Returns: Whether something is wrong; `nil` if another look must follow.
    private func look(after before: inout Look?, on pool: PostgresPool) async throws -> Bool? {
        let now = try await ProjectionStatus.all(on: pool)
        let lags = ProjectionLag.all(
            now,
            before: before?.statuses,
            elapsed: before.map { $0.at.duration(to: .now) } ?? .zero
        )
        let isBehind = lags.contains { $0.eventsBehind > 0 }
        let isFirst = before == nil
        before = (now, .now)
        let restored = try await pool.withConnection { try await RestoredLog.evidence(on: $0) }
        if watch || !isFirst || !isBehind { try await show(lags, restored, on: pool) }
        guard watch || (isFirst && isBehind) else {
            return lags.contains { $0.isTroubled || $0.isBehind(moreThan: maxBehind) } || !restored.isEmpty
        }
        return nil
    }

    /// Prints an error in place of the table.
    private func show(_ error: PostgresError) {
        guard !options.json else { return StandardError.line("recorder: \(error)") }
        StandardOutput.shared.line("\(error)")
    }

    private func show(
        _ lags: [ProjectionLag],
        _ restored: [RestoredLog.Evidence],
        on pool: PostgresPool
    ) async throws {
        if let remark = ProjectionRemarks.restored(restored) { StandardError.line("recorder: \(remark)") }
        let statuses = lags.flatMap(\.shards)
        let stopped = try await QuarantinedStream.all(on: pool)
        guard !options.json else {
            return ProjectionStatusTables.shards.print(statuses, json: true) { line, status in
                ProjectionStatusTables.write(status, stopped: stopped.filter { $0.key == status.key }, to: &line)
            }
        }
        guard !lags.isEmpty else {
            return StandardOutput.shared.line("nothing was projected yet: run `recorder project`")
        }
        if shards {
            ProjectionStatusTables.shards.print(statuses)
        } else {
            ProjectionStatusTables.projections.print(lags)
        }
        say(stopped.map(ProjectionStatusTables.text))
        let carried = Set(try ProjectionSource(folder: nil).files().map(\.id))
        let unowned = ProjectionRemarks.unowned(lags, carried: carried)
        say(unowned)
        if !unowned.isEmpty {
            if try await SilentProcess.areMuted(on: pool) { say([ProjectionRemarks.muted]) }
            say(try await SilentProcess.all(on: pool).map(ProjectionRemarks.silent))
        }
        say(try await OpenTransaction.long(on: pool).map(ProjectionRemarks.open))
        say(lags.flatMap { ProjectionRemarks.troubles(of: $0, maxBehind: maxBehind) })
    }

    private func say(_ remarks: [String]) {
        for remark in remarks { StandardOutput.shared.line(remark) }
    }
}
