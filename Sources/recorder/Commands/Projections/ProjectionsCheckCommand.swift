import ArgumentParser
import EventModel
import Projector
import Schema
import Simulator

/// `recorder projections check DIR`: whether a projection's folder keeps the contract.
struct ProjectionsCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a projection's folder: header, types, columns, tables, and that batching never shows.",
        discussion: """
            Runs apply.sql with sample events, split in every place, shuffled, by shard and redelivered, and compares the \
            views' rows. It works in a scratch schema, in a transaction that is rolled back: the database stays as it is. \
            The recorder's migrations must have been applied there. Status 1 if something breaks the contract.

            EXAMPLES
              recorder projections check projections/interruptions/v1
              recorder projections check projections/interruptions --events calls.jsonl
            """
    )

    @Argument(help: "The folder of one version, or of a projection with all its versions.", completion: .directory)
    var folder: String

    @Option(
        help: ArgumentHelp(
            "Sample events, one JSON a line; '-' is standard input. Else simulated ones.",
            valueName: "file"
        ),
        completion: .file()
    )
    var events: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many sessions to simulate.", valueName: "number"))
    var sessions = 4

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Decides the simulated events and the random cuts.", valueName: "number")
    )
    var seed: UInt64 = 1

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard (1...100).contains(sessions) else { throw ValidationError("--sessions is 1 to 100.") }
    }

    func run() async throws {
        let settings = try await options.settings()
        let database = try settings.database()
        let versions = try ProjectionFiles.all(inDirectory: folder)
        let sample = try await sample()
        var failed = 0
        for files in versions {
            let report = try await RunningCommand.cancelledBySignals {
                try await ProjectionCheck(files, schema: settings.schema, seed: seed)
                    .run(sample: sample, on: database, logger: settings.logger)
            }
            show(report)
            if !report.passes { failed += 1 }
        }
        guard failed == 0 else {
            throw CommandError(.refused, "\(folder) breaks the contract of projections: see above")
        }
    }

    private func sample() async throws -> [EventLine] {
        guard let events else {
            let start = Timestamp(microseconds: 1_772_438_400_000_000)
            var simulator = ConversationSimulator(seed: seed, startingAt: start)
            return (0..<sessions).flatMap { _ in simulator.nextSession().events }
        }
        var source = try LineSource(path: events)
        var lines: [EventLine] = []
        while let chunk = try await source.next() {
            for index in chunk.lines.indices where !chunk.isBlank(chunk.lines[index]) {
                let parsed = try ParsedLine(index, of: chunk, source: source.name, derivingIDFrom: source.name)
                lines.append(parsed.line)
            }
        }
        return lines
    }

    private func show(_ report: ProjectionCheckReport) {
        guard !options.json else {
            for finding in report.findings {
                JSONLine.print { line in
                    line.field("projection", report.projection)
                    line.field("severity", finding.severity.rawValue)
                    line.field("message", finding.message)
                }
            }
            return JSONLine.print { line in
                line.field("projection", report.projection)
                line.field("passes", report.passes)
                line.field("events", report.events)
                line.field("cuts", report.cuts)
                line.field("batches", report.batches)
            }
        }
        for finding in report.findings {
            StandardOutput.shared.line("\(report.projection): \(finding.severity.rawValue): \(finding.message)")
        }
        let tried =
            "\(Counted.text(report.events, "event")) delivered in \(Counted.text(report.cuts, "way")), "
            + "\(Counted.grouped(report.batches)) batches"
        StandardOutput.shared.line("\(report.projection) \(report.passes ? "keeps" : "breaks") the contract: \(tried)")
    }
}
