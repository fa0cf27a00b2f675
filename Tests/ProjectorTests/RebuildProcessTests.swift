import EventModel
import Foundation
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// `recorder projections rebuild` as a process that is killed, stopped and cancelled in the middle.
@Suite struct RebuildProcessTests {
    /// A rebuild of the turns in small steps, on a log that is projected.
    private struct Rebuild {
        let models: ReadModels
        let connection: PostgresConnection
        /// How many events are stored that the projection handles: only those are read.
        let total: Int

        fileprivate static let session = "rebuild"

        init(_ database: PostgresConfiguration) async throws {
            models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 30, seed: 51)
            let turns = try #require(
                try ProjectionFiles.newest(in: .embedded).first { $0.name == "conversation_turns" }
            )
            total = events.count { turns.handles.contains($0.events[0].type.name) }
            try await models.append(events)
            try await models.project()
            connection = try await PostgresConnection.connect(database)
        }

        func start() throws -> RecorderCommand {
            try RecorderCommand(
                ["projections", "rebuild", "conversation_turns", "--json", "--batch-size", "20", "--parallelism", "2"],
                databaseURL: "\(models.database.url) application_name=\(Self.session)"
            )
        }

        /// What the shadow's checkpoints say: events read, and events that the projection was given.
        func progress() async throws -> (read: Int, events: Int) {
            let row =
                try await connection.text(
                    unsafeSQL: "select coalesce(sum(read), 0), coalesce(sum(events), 0) from projection_rebuilds"
                ).first ?? []
            let numbers = row.map { $0.flatMap { Int($0) } ?? 0 }
            return (numbers[0], numbers[1])
        }

        /// Whether half of what the shadows will read was read.
        private func isHalfDone() async throws -> Bool {
            let sums = "select sum(read) as read, max(total) as total from projection_rebuilds group by projection"
            let half = "select coalesce(sum(read) * 2 >= sum(total), false) from (\(sums)) as shadow"
            return try await connection.text(unsafeSQL: half).first?.first == "t"
        }

        /// Sends a signal when half of the log was read, and waits until nothing of the process is left in the server.
        func interrupt(_ process: RecorderCommand, by signal: Int32) async throws -> RecorderCommand.Result {
            try await eventually("half of the log is read, or the process has ended") {
                try await isHalfDone() || kill(process.id, 0) != 0
            }
            process.send(signal)
            let result = await process.result()
            let left = "select from pg_stat_activity where application_name = '\(Self.session)'"
            try await eventually("the sessions of the process have ended") {
                try await connection.text(unsafeSQL: left).isEmpty
            }
            return result
        }
    }

    @Test(arguments: [SIGKILL, SIGTERM])
    func `a rebuild that is killed at half goes on where it was`(signal: Int32) async throws {
        try await withTestDatabase { database in
            let rebuild = try await Rebuild(database)
            let before = (try await rebuild.models.contents(), try await rebuild.models.traces())
            let given =
                "select shard, events from projection_checkpoints where projection = 'conversation_turns' order by 1"
            let counts = try await rebuild.connection.text(unsafeSQL: given)
            let ended = try await rebuild.interrupt(try rebuild.start(), by: signal)
            #expect(ended.status == (signal == SIGKILL ? -SIGKILL : 1), "\(ended.output)\(ended.errors)")
            let half = try await rebuild.progress()
            let middle = rebuild.total / 2..<rebuild.total
            try #require(middle.contains(half.read), "it was not killed in the middle")
            #expect(half.events > 0)
            // Readers have the live model, and nothing of the shadow.
            #expect(try await rebuild.models.contents() == before.0)

            let rest = rebuild.total - half.read
            let resumed = await (try rebuild.start()).result()
            #expect(resumed.status == 0, "\(resumed.errors)")
            let outcome = try JSONValue(json: Array(resumed.output.utf8))
            #expect(outcome["resumed"]?.bool == true)
            #expect(outcome["events"]?.integer == rest, "what was folded was folded again")
            #expect(outcome["differences"]?.integer == 0)
            #expect(try await rebuild.models.contents() == before.0)
            #expect(try await rebuild.models.traces() == before.1)
            #expect(try await rebuild.connection.text(unsafeSQL: given) == counts)
            // And it is the fold of the log.
            let verified = try await RecorderCommand.run("projections", "verify", databaseURL: database.url)
            #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
            try await rebuild.models.forget()
            try await rebuild.models.project()
            #expect(try await rebuild.models.contents() == before.0)
            await rebuild.connection.close()
        }
    }

    @Test func `a rebuild of all models that is killed at half goes on where each was`() async throws {
        try await withTestDatabase { database in
            let rebuild = try await Rebuild(database)
            let before = (try await rebuild.models.contents(), try await rebuild.models.traces())
            let words = ["projections", "rebuild", "--all", "--json", "--batch-size", "50", "--parallelism", "2"]
            let url = "\(database.url) application_name=\(Rebuild.session)"
            let ended = try await rebuild.interrupt(try RecorderCommand(words, databaseURL: url), by: SIGKILL)
            #expect(ended.status == -SIGKILL, "\(ended.output)\(ended.errors)")
            let sums = "select projection, sum(read), max(total) from projection_rebuilds group by 1 order by 1"
            let half = try await rebuild.connection.text(unsafeSQL: sums)
            try #require(half.count == ReadModels.views.count, "it was not killed in the middle")
            #expect(try await rebuild.models.contents() == before.0)

            let resumed = await (try RecorderCommand(words, databaseURL: url)).result()
            #expect(resumed.status == 0, "\(resumed.errors)")
            let outcomes = try resumed.output.split(separator: "\n").map { try JSONValue(json: Array($0.utf8)) }
            let left = half.map { row in row.dropFirst().map { $0.flatMap { Int($0) } ?? 0 } }.map { $0[1] - $0[0] }
            #expect(outcomes.map { $0["projection"]?.string } == half.map { $0[0] })
            #expect(outcomes.map { $0["events"]?.integer } == left, "what was folded was folded again")
            #expect(outcomes.allSatisfy { $0["resumed"]?.bool == true && $0["differences"]?.integer == 0 })
            #expect(try await rebuild.models.contents() == before.0)
            #expect(try await rebuild.models.traces() == before.1)
            await rebuild.connection.close()
        }
    }

    @Test func `what is asked of a rebuild has to make sense`() async throws {
        let wrong = [
            [], ["--all", "audit_logs"], ["audit_logs", "audit_logs"],
            ["audit_logs", "interruptions", "--version", "1"],
        ]
        for words in wrong {
            let result = await
                (try RecorderCommand(["projections", "rebuild"] + words, databaseURL: "postgresql:///none")).result()
            #expect(result.status == 2, "\(words): \(result.errors)")
        }
    }

    @Test func `a rebuild that is cancelled by SIGINT leaves no trace`() async throws {
        try await withTestDatabase { database in
            let rebuild = try await Rebuild(database)
            let before = (try await rebuild.models.contents(), try await rebuild.models.traces())
            let ended = try await rebuild.interrupt(try rebuild.start(), by: SIGINT)
            #expect(ended.status == 1)
            #expect(
                ended.errors.contains("cancelled: what was built of conversation_turns is removed"),
                "\(ended.errors)"
            )
            #expect(try await rebuild.models.contents() == before.0)
            #expect(try await rebuild.models.traces() == before.1)
            await rebuild.connection.close()
        }
    }
}
