import ArgumentParser
import EventModel
import EventStore
import Projector

/// `recorder projections status`: how far the read models are behind the log.
struct ProjectionsStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how far each projection is behind the log, in events and seconds.",
        discussion: """
            EXAMPLES
              recorder projections status
              recorder projections status --json | jq .eventsBehind
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let statuses = try await settings.withPool { try await ProjectionStatus.all(on: $0) }
        guard !statuses.isEmpty || options.json else {
            return StandardOutput.shared.line("nothing was projected yet: run `recorder project`")
        }
        let table = TextTable<ProjectionStatus>([
            .init("projection") { $0.checkpoint.projection },
            .init("version", .right) { "\($0.checkpoint.version)" },
            .init("shard", .right) { "\($0.checkpoint.shard)" },
            .init("events", .right) { Counted.grouped(Int($0.checkpoint.events)) },
            .init("behind", .right) { status in
                let isMore = status.eventsBehind >= ProjectionStatus.countLimit
                return Counted.grouped(status.eventsBehind) + (isMore ? " or more" : "")
            },
            .init("seconds behind", .right) { Figures.decimal(Self.seconds($0.behind), digits: 1) },
            .init("last moved") { $0.updatedAt.description },
        ])
        table.print(statuses, json: options.json) { line, status in
            line.field("projection", status.checkpoint.projection)
            line.field("version", status.checkpoint.version)
            line.field("shard", status.checkpoint.shard)
            line.field("events", Int(status.checkpoint.events))
            line.field("eventsBehind", status.eventsBehind)
            line.field("secondsBehind", Self.seconds(status.behind))
            line.field("cursor", status.checkpoint.cursor.description)
            line.field("updatedAt", status.updatedAt)
        }
    }

    private static func seconds(_ duration: Duration?) -> Double? { duration.map { $0 / .seconds(1) } }
}
