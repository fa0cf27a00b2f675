import ArgumentParser
import EventModel
import Schema

/// `recorder projections list`: the projections that can be run, whatever the database holds.
struct ProjectionsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the projections that this program carries, and the events that they take.",
        discussion: """
            It asks no database: `recorder projections status` tells what is installed.

            EXAMPLES
              recorder projections list
              recorder projections list --projections ./projections
            """
    )

    @Flag(help: "Print one JSON object a line.")
    var json = false
    @OptionGroup var projectionSource: ProjectionSourceOptions

    func run() async throws {
        let table = TextTable<ProjectionFiles>([
            .init("projection") { $0.name },
            .init("version", .right) { "\($0.version)" },
            .init("columns", .right) { "\($0.columns.count)" },
            .init("statements", .right) { "\($0.statements.count)" },
            .init("handles", isFlexible: true) { $0.handles.joined(separator: ", ") },
        ])
        table.print(try projectionSource.source.files(), json: json) { line, projection in
            line.field("projection", projection.name)
            line.field("version", projection.version)
            line.field("handles", .array(projection.handles.map { .string($0) }))
            line.field("columns", .array(projection.columns.map { .string($0.name) }))
        }
    }
}
