import ArgumentParser
import Foundation
import Projector
import Schema

/// `recorder projections new NAME`: files for a new projection.
struct ProjectionsNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Lays the commented folder of a new projection, which works as it is.",
        discussion: """
            Change table.sql, apply.sql and view.sql to what you want to know, and see with `recorder projections check` \
            whether they keep the contract.

            EXAMPLES
              recorder projections new silences
            """
    )

    @Argument(help: "Small letters, digits and underscores.")
    var name: String

    @Option(help: ArgumentHelp("The folder of projections.", valueName: "folder"), completion: .directory)
    var projections = "projections"

    @Flag(help: "Print one JSON object a line.")
    var json = false

    func validate() throws {
        try ValidationError.checking {
            _ = try ProjectionTemplate(name: name)
            // Its version 1 would take precedence over the one that the program carries, under views that others read.
            guard try ProjectionFiles.all(in: .embedded).contains(where: { $0.name == name }) else { return }
            throw CommandError(.input, "the recorder has a projection \(name) of its own: choose another name")
        }
    }

    func run() async throws {
        let folder = URL(filePath: projections, directoryHint: .isDirectory)
        for path in try ProjectionTemplate(name: name).write(into: folder) {
            if json { JSONLine.print { $0.field("path", path) } } else { StandardOutput.shared.line(path) }
        }
    }
}
