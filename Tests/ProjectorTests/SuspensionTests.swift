import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// A projection that waits for somebody's lock, and those beside it.
@Suite(.timeLimit(.minutes(10))) struct SuspensionTests {
    private let stream = StreamID.generate(at: .now())

    /// What somebody holds of the turns: what CREATE INDEX takes, or one row.
    static let locks = [
        "lock table conversation_turns_v1 in share mode",
        "select from conversation_turns_v1 where llm_latency_ms = 100 for update",
    ]

    /// Another change of the one turn that the locks hold, and some of other streams.
    private func append(_ latency: Int, to models: ReadModels) async throws {
        let data = #"{"turnId":"019cad8f-ac00-7e4e-a7b6-000000000001","llmLatencyMs":\#(latency)}"#
        let turn = try EventDraft(id: .generate(at: .now()), type: .turnGenerated, data: Array(data.utf8))
        try await models.append(
            [Append(stream: stream, events: [turn])] + ReadModels.simulated(sessions: 2, seed: UInt64(latency))
        )
    }

    /// Runs `body` on a database with a turn that is projected, and one event more of it that waits for a lock.
    private func withLock(
        _ lock: String,
        _ body: (ReadModels, _ connection: PostgresConnection, _ holder: PostgresConnection) async throws -> Void
    ) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await append(100, to: models)
            try await models.project()
            try await withConnection(database) { connection in
                try await withConnection(database) { holder in
                    try await holder.run(unsafeSQL: "begin; \(lock)")
                    try await append(200, to: models)
                    try await body(models, connection, holder)
                }
            }
        }
    }

    private func projector(_ models: ReadModels) throws -> Projector {
        Projector(
            models.database,
            projections: try ProjectionFiles.newest(in: .embedded),
            options: ProjectorOptions(workers: 2),
            logger: TestServer.silent
        )
    }

    private func lags(_ connection: PostgresConnection) async throws -> [ProjectionLag] {
        ProjectionLag.all(try await connection.query(ProjectionStatus.Select(until: nil)))
    }

    /// Waits until all projections are at the head but the one that waits, whose error tells of that.
    private func waitForOthers(_ connection: PostgresConnection) async throws {
        try await eventually("the others are at the head") {
            try await lags(connection).allSatisfy {
                $0.projection.name == "conversation_turns" ? $0.error != nil : $0.eventsBehind == 0 && $0.error == nil
            }
        }
    }

    private func status(_ models: ReadModels) async throws -> RecorderCommand.Result {
        try await RecorderCommand.run("projections", "status", databaseURL: models.database.url)
    }

    @Test(arguments: locks) func `it is named, the others go on, and it catches up when the lock is gone`(lock: String)
        async throws
    {
        try await withLock(lock) { models, connection, holder in
            let projector = try projector(models)
            let running = Task { try await projector.run() }
            defer { running.cancel() }
            try await waitForOthers(connection)
            for latency in [300, 400] {
                try await append(latency, to: models)
                try await waitForOthers(connection)
            }
            let ill = try await status(models)
            #expect(ill.status == 1)
            let pid = try await holder.text(unsafeSQL: "select pg_backend_pid()").first?.first.flatMap { $0 }
            let told = "conversation_turns v1 waits for a lock: process \(try #require(pid)) has conversation_turns_v1"
            #expect(ill.output.contains(told), "\(ill.output)")

            try await holder.run(unsafeSQL: "rollback")
            try await eventually("it is at the head, and nothing is said of it") {
                try await lags(connection).allSatisfy { $0.eventsBehind == 0 && !$0.isTroubled }
            }
            let well = try await status(models)
            #expect(well.status == 0, "\(well.output)")
            running.cancel()
            try await running.value
            let live = try await models.contents()
            try await models.forget()
            try await models.project()
            let rebuilt = try await models.contents()
            for view in ReadModels.views { #expect(live[view] == rebuilt[view], "\(view) differs") }
        }
    }

    @Test func `catching up waits for it`() async throws {
        try await withLock(Self.locks[0]) { models, connection, holder in
            let projector = try projector(models)
            async let caughtUp = projector.runUntilCaughtUp()
            try await waitForOthers(connection)
            try await holder.run(unsafeSQL: "rollback")
            _ = try await caughtUp
            #expect(try await lags(connection).allSatisfy { $0.eventsBehind == 0 && $0.error == nil })
        }
    }

    @Test func `a projector that halts on failing events does not halt on it`() async throws {
        try await withLock(Self.locks[0]) { models, connection, holder in
            let projector = Projector(
                models.database,
                projections: try ProjectionFiles.newest(in: .embedded),
                options: ProjectorOptions(onFailure: .halt),
                logger: TestServer.silent
            )
            async let caughtUp = projector.runUntilCaughtUp()
            try await waitForOthers(connection)
            try await holder.run(unsafeSQL: "rollback")
            _ = try await caughtUp
            #expect(try await lags(connection).allSatisfy { $0.eventsBehind == 0 && $0.error == nil })
        }
    }

    @Test func `after a brief trial, in vain or broken off, locks are waited for as long as before`() async throws {
        try await withTestDatabase { database in
            var configuration = database
            configuration.settings["lock_timeout"] = Projector.lockTimeout
            let hand = try await WorkerByHand(configuration, only: "conversation_turns")
            let projection = hand.projections[0].id
            let fleet = hand.fleet()
            try await fleet.join()
            var worker = hand.worker(of: fleet)
            try await worker.settleOwnership(on: hand.connection)
            let shown = "show lock_timeout"
            try await withConnection(database) { other in
                try await other.run(unsafeSQL: "begin; lock table conversation_turns_v1 in share mode")
                #expect(try await worker.attemptCarefully(worker.owned, on: hand.connection))
                try await eventually("it is to be tried") { worker.suspensions[projection]?.isDue == true }
                #expect(try await worker.resume(on: hand.connection))
                let suspension = try #require(worker.suspensions[projection], "it was not tried in vain")
                #expect(suspension.error.code == .projectionWaits && !suspension.isDue)
                #expect(try await hand.connection.text(unsafeSQL: shown) == [[Projector.lockTimeout]])

                // Somebody else has its shards: it throws.
                try await other.run(unsafeSQL: "rollback; update projection_checkpoints set epoch = epoch + 1")
                try await eventually("it is to be tried again") { worker.suspensions[projection]?.isDue == true }
                let error = await #expect(throws: ProjectorError.self) { try await worker.resume(on: hand.connection) }
                #expect(error?.code == .leaseLost)
                #expect(try await hand.connection.text(unsafeSQL: shown) == [[Projector.lockTimeout]])
            }
            await fleet.leave()
            await hand.connection.close()
        }
    }
}
