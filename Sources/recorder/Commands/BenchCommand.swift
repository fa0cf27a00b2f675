import ArgumentParser
import Benchmarks
import Foundation

/// `recorder bench`: what the recorder costs, compared with what the same would cost without it.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the recorder, and in the same run on the same server the limit it is compared with.",
        discussion: """
            Ratios are what counts: machines differ. Each measurement is made several times, by turns with its limit, and \
            the medians are shown with the least and the most. 'all' leaves out what takes long or settles a question \
            that is asked once: aged, peers, notify and connections. It starts a durable PostgreSQL of its own in a temporary \
            directory, and removes it, unless --database-url names another; there it makes databases of its own, and \
            drops them.

            EXAMPLES
              recorder bench append
              recorder bench all --events 50000 --json > before.jsonl
              recorder bench size --input calls.jsonl
              recorder bench append --peers
              recorder bench memory --memory-events 5000000 --rounds 1
            """
    )

    @Argument(
        help: ArgumentHelp(
            "What to measure: all, or any of \(BenchmarkGroup.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "group"
        )
    )
    var groups: [String] = ["all"]

    @Option(parsing: .unconditional, help: ArgumentHelp("About how many events a round uses.", valueName: "count"))
    var events = 200_000

    @Option(parsing: .unconditional, help: ArgumentHelp("How many producers append at once.", valueName: "count"))
    var producers = 64

    @Option(parsing: .unconditional, help: ArgumentHelp("How often each measurement is made.", valueName: "count"))
    var rounds = 3

    @Option(
        help: ArgumentHelp(
            "A file of events to use instead of simulated ones; again and again, for new streams, if it is too short.",
            valueName: "file"
        )
    )
    var input: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many events the log of 'aged' holds.", valueName: "count"))
    var agedEvents = 10_000_000

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many events the processes of 'memory' are given; as many as a round.",
            valueName: "count"
        )
    )
    var memoryEvents: Int?

    @Flag(
        help: ArgumentHelp(
            "Measure also single-row INSERTs of 1, 8, 32 and 64 clients, and Python's eventsourcing from PyPI.",
            discussion: "The library is installed in the user's cache if python3 does not have it."
        )
    )
    var peers = false

    @Flag(help: ArgumentHelp("Read every stream of a log once: what 'memory' runs.", visibility: .hidden))
    var replayWholeLog = false

    @Flag(help: "Measure even on a server that may lose what it acknowledged; the figures then say so.")
    var undurable = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard events > 0, producers > 0, rounds > 0, agedEvents > 0, memoryEvents ?? 1 > 0 else {
            throw ValidationError(
                "--events, --producers, --rounds, --aged-events and --memory-events are 1 or more."
            )
        }
        _ = try wanted()
    }

    private func wanted() throws -> [BenchmarkGroup] {
        let named = try groups.flatMap { name -> [BenchmarkGroup] in
            if name == "all" { return BenchmarkGroup.all }
            guard let group = BenchmarkGroup(rawValue: name) else {
                let known = BenchmarkGroup.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("'\(name)' is not measured; say all, or any of \(known).")
            }
            return [group]
        }
        return peers && !named.contains(.peers) ? named + [.peers] : named
    }

    func run() async throws {
        let settings = try await options.settings()
        guard !replayWholeLog else { return try await WholeSessions.readLog(of: try settings.database()) }
        let groups = try wanted()
        guard let program = Bundle.main.executablePath else {
            throw CommandError(.file, "the path of this program cannot be found; call it by its path")
        }
        let benchmarks = BenchmarkOptions(
            events: events,
            memoryEvents: memoryEvents,
            producers: producers,
            rounds: rounds,
            input: input,
            databaseURL: options.databaseURL,
            allowsUndurable: undurable,
            agedEvents: agedEvents,
            program: program
        )
        let input = try BenchmarkInput(benchmarks)
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "recorder-bench-\(ProcessInfo.processInfo.processIdentifier)").path(percentEncoded: false)
        try await BenchmarkServer.run(benchmarks, directory: directory, logger: settings.logger) { server in
            let table = BenchmarkTable(server: server, json: options.json)
            table.begin()
            let run = BenchmarkRun(benchmarks, of: input, on: server, logger: settings.logger) { title in
                if StandardError.isTerminal { StandardError.write("\r\u{1B}[K\(title)") }
            } notice: { text in
                StandardError.write("\(StandardError.isTerminal ? "\r\u{1B}[K" : "")\(text)\n")
            }
            for group in groups {
                let measurements = try await run.measure(group)
                if StandardError.isTerminal { StandardError.write("\r\u{1B}[K") }
                for measurement in measurements { table.show(measurement) }
                try StandardOutput.shared.flush()
            }
        }
    }
}
