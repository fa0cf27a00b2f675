import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// One log, and what is done to its read models.
struct ScaleRun: Sendable {
    /// The read models.
    static let models = [
        "audit_logs", "conversation_costs", "conversation_sessions", "conversation_turns", "interruptions",
        "latency_metrics",
    ]
    /// How many sessions the readers ask about.
    private static let sample = 100

    let url: String
    /// Where its files go.
    let folder: URL
    /// How many events the log gets.
    let events: Int

    /// What the program logs.
    var log: URL { folder.appending(path: "recorder.log") }

    func run(_ arguments: String...) async throws -> MeasuredCommand {
        let command = try await MeasuredCommand.run(arguments, databaseURL: url, log: log)
        try #require(command.status == 0, "\(arguments): \(command.lines.suffix(5)) \(lastWords)")
        return command
    }

    /// The end of what was logged.
    var lastWords: String { String(((try? String(contentsOf: log, encoding: .utf8)) ?? "").suffix(2_000)) }

    func query(_ sql: String) async throws -> [[String?]] {
        let configuration = PostgresConfiguration(url: url, schema: "recorder", applicationName: "scale")
        let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        let rows = try await connection.text(unsafeSQL: sql)
        await connection.close()
        return rows
    }

    // MARK: The log

    /// Makes up a log, imports and projects it.
    func record() async throws {
        _ = try await run("migrate", "up")
        let imported = try await append(events, seed: 1)
        let stored = try await query("select count(*) from events").first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
        try #require(stored >= events)
        Journal.line("import: \(stored) events, \(imported.rate(stored)), peak \(imported.peak) MB")
        let projected = try await run(
            "project",
            "--until-caught-up",
            "--workers",
            "4",
            "--log-level",
            "debug",
            "--json"
        )
        let rounds = rounds()
        Journal.line(
            "projection by 4 workers: \(projected.rate(stored)), peak \(projected.peak) MB; \(rounds.all) rounds, "
                + "\(rounds.repeated) begun again"
        )
        try #require(rounds.all > 0)
    }

    /// Imports so many simulated events more.
    func append(_ events: Int, seed: Int) async throws -> MeasuredCommand {
        let file = folder.appending(path: "events-\(seed).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        // A session has about a hundred.
        let simulation = Process()
        simulation.executableURL = RecorderCommand.executable
        simulation.arguments = ["simulate", "--sessions", "\(events / 95 + 1)", "--seed", "\(seed)"]
        try Data().write(to: file)
        simulation.standardOutput = try FileHandle(forWritingTo: file)
        try simulation.run()
        simulation.waitUntilExit()
        try #require(simulation.terminationStatus == 0)
        return try await run("import", file.path(percentEncoded: false), "--json")
    }

    /// What the workers said that they did.
    private func rounds() -> (all: Int, repeated: Int) {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        var sum = (all: 0, repeated: 0)
        for line in text.split(separator: "\n") where line.contains("a worker ends") {
            func figure(_ name: String) -> Int {
                guard let range = line.range(of: "\(name)=") else { return 0 }
                return Int(line[range.upperBound...].prefix { $0.isNumber }) ?? 0
            }
            sum.all += figure("rounds")
            sum.repeated += figure("repeated")
        }
        return sum
    }

    // MARK: Rebuilds

    /// Rebuilds all models, in one reading of the log, while people read them, and says what it took.
    func rebuildAll() async throws {
        let readers = try await ModelReaders(url, sessions: Self.sample)
        let (_, before) = try await readers.read { try await Task.sleep(for: .seconds(events >= 100_000 ? 10 : 1)) }
        let stored = try await query("select count(*) from events").first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
        let prints = try await fingerprints()
        let (command, during) = try await readers.read { try await run("projections", "rebuild", "--all", "--json") }
        let outcomes = command.lines.compactMap { try? JSONValue(json: Array($0.utf8)) }
        #expect(outcomes.compactMap { $0["projection"]?.string }.sorted() == Self.models)
        #expect(outcomes.allSatisfy { $0["differences"]?.integer == 0 })
        Journal.line(
            """
            rebuild of all \(outcomes.count): \(Figure.seconds(command.time)), \(command.rate(stored)) through all of them, \
            peak \(command.peak) MB
            readers before: \(before)
            readers during: \(during), \(readers.wrong.count) answers wrong
            """
        )
        #expect(readers.wrong.isEmpty, "\(readers.wrong.prefix(3))")
        #expect(!during.times.isEmpty)
        #expect(try await fingerprints() == prints)
    }

    /// Kills the rebuild of a model at half, and runs it again, while people read.
    func killAtHalf() async throws {
        let readers = try await ModelReaders(url, sessions: Self.sample)
        let prints = try await fingerprints()
        let half = "select coalesce(sum(read) * 2 >= max(total), false), sum(read), max(total) from projection_rebuilds"
        let ((read, resumed), figures) = try await readers.read {
            let words = ["projections", "rebuild", "conversation_sessions", "--json", "--batch-size"]
            let killed = try await MeasuredCommand.run(
                words + [events >= 100_000 ? "2000" : "100"],
                databaseURL: "\(url) application_name=killed",
                log: log
            ) { process in
                try await eventually("half of the log is read", within: .seconds(1_800)) {
                    if !process.isRunning { return true }
                    return try await query(half).first?.first == "t"
                }
                process.send(SIGKILL)
            }
            #expect(killed.status == -SIGKILL, "it was done before it was killed")
            // What it had sent before may commit still.
            try await eventually("the sessions of the killed rebuild have ended") {
                try await query("select from pg_stat_activity where application_name = 'killed'").isEmpty
            }
            let row = try await query(half).first ?? []
            let numbers = row.map { $0.flatMap { Int($0) } ?? 0 }
            let resumed = try await run("projections", "rebuild", "conversation_sessions", "--json")
            #expect(resumed.number("events") == numbers[2] - numbers[1], "what was folded was folded again")
            return (numbers[1], resumed)
        }
        Journal.line(
            """
            killed after \(read) events; the rest, \(resumed.number("events") ?? 0) events, in \
            \(Figure.seconds(resumed.time)), peak \(resumed.peak) MB
            readers meanwhile: \(figures), \(readers.wrong.count) answers wrong
            """
        )
        #expect(readers.wrong.isEmpty, "\(readers.wrong.prefix(3))")
        #expect(!figures.times.isEmpty)
        #expect(try await fingerprints() == prints)
    }

    /// A number for each model that any change of any row changes.
    private func fingerprints() async throws -> [String?] {
        let sums = Self.models.map { model in
            "select count(*) || ' ' || coalesce(sum(hashtextextended(to_jsonb(v)::text, 0)::numeric), 0) from \(model) v"
        }
        return try await query(sums.joined(separator: " union all ")).map { $0.first ?? nil }
    }
}
