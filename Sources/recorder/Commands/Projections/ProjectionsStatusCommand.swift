import ArgumentParser
import EventModel
import EventStore
import Postgres
import Projector
import Schema

/// `recorder projections status`: how far the read models are behind the log, and what keeps them there.
struct ProjectionsStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how far each projection is behind the log, who works on it, and what is wrong.",
        discussion: """
            Ends with exit status 1 if a shard has no living owner, a stream stands in quarantine, a projection's SQL \
            fails, or the log was restored from another cluster and is not repaired. With --json it prints one object for each shard. The rate is measured over a second if anything is behind.

            EXAMPLES
              recorder projections status
              recorder projections status --shards
              recorder projections status --json | jq .eventsBehind
              recorder projections status --watch
            """
    )

    @Flag(help: "Show each shard on a line of its own.")
    var shards = false

    @Flag(help: "Show it again every second, until Ctrl-C.")
    var watch = false

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let isTroubled = try await settings.withPool { pool in
            var before: (statuses: [ProjectionStatus], at: ContinuousClock.Instant)?
            while true {
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
                    return lags.contains(where: \.isTroubled) || !restored.isEmpty
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
        if isTroubled { throw ExitCode.failure }
    }

    private func show(
        _ lags: [ProjectionLag],
        _ restored: [RestoredLog.Evidence],
        on pool: PostgresPool
    ) async throws {
        if !restored.isEmpty {
            StandardError.line(
                "recorder: the log was restored from a dump of another cluster, so that nothing is projected and nothing "
                    + "appended: \(restored.map(\.detail).joined(separator: "; ")). Run `recorder repair restored-log`"
            )
        }
        let statuses = lags.flatMap(\.shards)
        let stopped = try await QuarantinedStream.all(on: pool)
        guard !options.json else {
            return Self.shardTable.print(statuses, json: true) { line, status in
                Self.encode(&line, status, stopped.filter { $0.key == status.key })
            }
        }
        guard !lags.isEmpty else {
            return StandardOutput.shared.line("nothing was projected yet: run `recorder project`")
        }
        if shards {
            Self.shardTable.print(statuses, json: false) { _, _ in }
        } else {
            Self.table.print(lags, json: false) { _, _ in }
        }
        for stream in stopped { StandardOutput.shared.line(Self.text(of: stream)) }
        let carried = Set(try ProjectionSource(folder: nil).files().map(\.id))
        for lag in lags where !lag.unowned.isEmpty {
            let shards = lag.unowned.map(String.init).joined(separator: ", ")
            let advice =
                carried.contains(lag.projection)
                ? "`recorder project`"
                : "`recorder project --projections DIR` with the folder that holds this projection"
            StandardOutput.shared.line("\(lag.projection): nobody works on shards \(shards): start \(advice)")
        }
        for open in try await OpenTransaction.long(on: pool) {
            let place = open.database.map { " in database \($0)" } ?? ""
            StandardOutput.shared.line(
                "process \(open.process)\(place) has had a writing transaction open for "
                    + "\(Figures.decimal(Self.seconds(open.age), digits: 0) ?? "?") s: it delays nobody's events, and each read "
                    + "looks its number up"
            )
        }
        for lag in lags {
            if let error = lag.error { StandardOutput.shared.line("\(lag.projection): \(error)") }
        }
    }

    private static let table = TextTable<ProjectionLag>([
        .init("projection") { $0.projection.name },
        .init("version", .right) { "\($0.projection.version)" },
        .init("events", .right) { Counted.grouped(Int($0.events)) },
        .init("behind", .right) { behind($0.eventsBehind) },
        .init("seconds behind", .right) { Figures.decimal(seconds($0.behind), digits: 1) },
        .init("events/s", .right) { $0.rate.map { Counted.grouped(Int($0)) } },
        .init("caught up in", .right) { caughtUp(in: $0.timeToCatchUp, behind: $0.eventsBehind) },
        .init("owned", .right) { "\($0.shards.count - $0.unowned.count)/\($0.shards.count)" },
        .init("stopped", .right) { $0.stoppedStreams == 0 ? nil : "\($0.stoppedStreams)" },
        .init("processes", isFlexible: true) { $0.processes.joined(separator: ", ") },
    ])

    private static let shardTable = TextTable<ProjectionStatus>([
        .init("projection") { $0.key.projection.name },
        .init("version", .right) { "\($0.key.projection.version)" },
        .init("shard", .right) { "\($0.key.shard)" },
        .init("events", .right) { Counted.grouped(Int($0.events)) },
        .init("behind", .right) { behind($0.eventsBehind) },
        .init("seconds behind", .right) { Figures.decimal(seconds($0.behind), digits: 1) },
        .init("events/s", .right) { $0.rate.map { Counted.grouped(Int($0)) } },
        .init("caught up in", .right) { caughtUp(in: $0.timeToCatchUp, behind: $0.eventsBehind) },
        .init("stopped", .right) { $0.stoppedStreams == 0 ? nil : "\($0.stoppedStreams)" },
        .init("owner") { $0.process ?? "nobody" },
        .init("last moved") { $0.updatedAt.description },
        .init("error", isFlexible: true) { $0.error },
    ])

    private static func encode(_ line: inout JSONLine, _ status: ProjectionStatus, _ stopped: [QuarantinedStream]) {
        line.field("projection", status.key.projection.name)
        line.field("version", status.key.projection.version)
        line.field("shard", status.key.shard)
        line.field("events", Int(status.events))
        line.field("eventsBehind", status.eventsBehind)
        line.field("secondsBehind", seconds(status.behind))
        line.field("eventsPerSecond", status.rate)
        line.field("secondsToCatchUp", status.eventsBehind == 0 ? 0 : seconds(status.timeToCatchUp))
        line.field("owner", status.process)
        line.field("stoppedStreams", status.stoppedStreams)
        line.objects("stopped", stopped) { line, stream in
            line.field("stream", stream.stream.description)
            line.field("event", stream.event.description)
            line.field("version", stream.eventVersion)
            line.field("type", stream.eventType)
            line.field("error", stream.error)
            line.field("attempts", stream.attempts)
            line.field("since", stream.since)
            line.field("isRetryRequested", stream.isRetryRequested)
        }
        line.field("openTransactions", status.openTransactions)
        line.field("error", status.error)
        line.field("updatedAt", status.updatedAt)
    }

    private static func text(of stream: QuarantinedStream) -> String {
        """
        \(stream.key.projection): stream \(stream.stream) stopped at version \(stream.eventVersion), \
        event \(stream.event) (\(stream.eventType)), since \(stream.since), tried \(Counted.text(stream.attempts, "time")): \
        \(stream.error); after a fix: recorder projections retry \(stream.key.projection.name) --stream \(stream.stream)
        """
    }

    private static func behind(_ events: Int) -> String {
        Counted.grouped(events) + (events >= ProjectionStatus.countLimit ? " or more" : "")
    }

    private static func caughtUp(in time: Duration?, behind events: Int) -> String? {
        events == 0 ? nil : time.map { (Figures.decimal(seconds($0), digits: 0) ?? "?") + " s" }
    }

    private static func seconds(_ duration: Duration?) -> Double? { duration.map { $0 / .seconds(1) } }
}
