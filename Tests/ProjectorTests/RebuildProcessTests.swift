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

        private static let session = "rebuild"

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

        /// Sends a signal when half of the log was read, and waits until nothing of the process is left in the server.
        func interrupt(_ process: RecorderCommand, by signal: Int32) async throws -> RecorderCommand.Result {
            while try await progress().read * 2 < total, kill(process.id, 0) == 0 {}
            process.send(signal)
            let result = await process.result()
            let left = "select from pg_stat_activity where application_name = '\(Self.session)'"
            while try await !connection.text(unsafeSQL: left).isEmpty {}
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
