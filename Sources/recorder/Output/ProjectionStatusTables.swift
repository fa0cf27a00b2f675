import EventModel
import Projector
import Schema

/// The status of projections, as tables and as JSON.
enum ProjectionStatusTables {
    /// Projections, one a row.
    static let projections = TextTable<ProjectionLag>([
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

    /// Their shards, one a row.
    static let shards = TextTable<ProjectionStatus>([
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

    /// Writes a shard's fields.
    ///
    /// - Parameter stopped: Its streams in quarantine.
    static func write(_ status: ProjectionStatus, stopped: [QuarantinedStream], to line: inout JSONLine) {
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

    /// Says where a stream stopped and why, and what to do then.
    static func text(of stream: QuarantinedStream) -> String {
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
