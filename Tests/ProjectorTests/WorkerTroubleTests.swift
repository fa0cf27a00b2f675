import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// What a worker does about trouble that may pass.
@Suite(.timeLimit(.minutes(5))) struct WorkerTroubleTests {
    private func turn(_ latency: Int) throws -> EventDraft {
        let data = #"{"turnId":"019cad8f-ac00-7e4e-a7b6-000000000001","llmLatencyMs":\#(latency)}"#
        return try EventDraft(id: .generate(at: .now()), type: .turnGenerated, data: Array(data.utf8))
    }

    /// Runs `body` while a stopped stream can go on, but for a lock on its row.
    ///
    /// - Parameter body: Gets a projector of the projection that has stopped it, a
    ///   connection to look on, and the lock's holder.
    private func withLockedStream(
        _ body: (ReadModels, Projector, PostgresConnection, PostgresConnection) async throws -> Void
    ) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let stream = StreamID.generate(at: .now())
            let projector = Projector(
                database,
                projections: try ProjectionFiles.newest(in: .embedded).filter { $0.name == "conversation_turns" },
                logger: TestServer.silent
            )
            try await withConnection(database) { connection in
                try await connection.run(
                    unsafeSQL: "alter table conversation_turns_v1 add constraint quick check (llm_latency_ms < 1000)"
                )
                for latency in [100, 5_000] {
                    try await models.append([Append(stream: stream, events: [try turn(latency)])])
                    try await projector.runUntilCaughtUp()
                }
                try await connection.run(unsafeSQL: "alter table conversation_turns_v1 drop constraint quick")
                #expect(try await stoppedStreams(connection) == 1)
                try await withConnection(database) { holder in
                    try await holder.run(unsafeSQL: "begin; select from conversation_turns_v1 for update")
                    try await body(models, projector, connection, holder)
                }
            }
        }
    }

    private func stoppedStreams(_ connection: PostgresConnection) async throws -> Int {
        try await connection.text(unsafeSQL: "select from projection_quarantine").count
    }

    private func waitForLock(_ connection: PostgresConnection, isThere: Bool) async throws {
        let waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        try await eventually("a lock \(isThere ? "is" : "is not") waited for") {
            try await connection.text(unsafeSQL: waiting).isEmpty != isThere
        }
    }

    @Test func `a retry that waits for somebody's lock holds up no other stream`() async throws {
        try await withLockedStream { models, projector, connection, holder in
            let running = Task { try await projector.run() }
            defer { running.cancel() }
            try await connection.execute(Quarantine.RequestRetry(projection: nil, stream: nil))
            try await waitForLock(connection, isThere: true)
            try await models.append([Append(stream: .generate(at: .now()), events: [try turn(200)])])
            let projected = "select from conversation_turns_v1 where llm_latency_ms = 200"
            try await eventually("the other stream is projected", within: .seconds(60)) {
                try await !connection.text(unsafeSQL: projected).isEmpty
            }
            #expect(try await stoppedStreams(connection) == 1)
            try await holder.run(unsafeSQL: "rollback")
            try await eventually("the stopped stream goes on") { try await stoppedStreams(connection) == 0 }
            running.cancel()
            try await running.value
        }
    }

    @Test func `catching up waits for a retry that was put off`() async throws {
        try await withLockedStream { _, projector, connection, holder in
            try await connection.execute(Quarantine.RequestRetry(projection: nil, stream: nil))
            async let caughtUp = projector.runUntilCaughtUp()
            for isThere in [true, false] { try await waitForLock(connection, isThere: isThere) }
            try await holder.run(unsafeSQL: "rollback")
            _ = try await caughtUp
            #expect(try await stoppedStreams(connection) == 0)
        }
    }

    @Test func `a worker outlasts a lock that also keeps it from looking for whom to blame`() async throws {
        try await withTestDatabase { database in
            let hand = try await WorkerByHand(database, only: "conversation_turns")
            let fleet = hand.fleet()
            try await fleet.join()
            var worker = hand.worker(of: fleet)
            worker.connection = hand.connection
            try await hand.connection.set("lock_timeout", to: "50ms")
            try await withConnection(database) { holder in
                try await holder.run(unsafeSQL: "begin; lock table projection_checkpoints in access exclusive mode")
                let error = try await #require(throws: PostgresError.self) {
                    try await worker.settleOwnership(on: hand.connection)
                }
                #expect(error.isLockTimeout)
                try await worker.recover(from: error, since: .now, isPatient: false)
                try await holder.run(unsafeSQL: "rollback")
            }
            #expect(worker.connection?.isOpen == true)
            try await worker.settleOwnership(on: hand.connection)
            #expect(worker.owned.count == hand.keys.count)
            await fleet.leave()
            await hand.connection.close()
        }
    }
    /// As a proxy leaves it that falls silent: the server waits for the rest, and nobody is there to send it.
    @Test func `a worker ends its own session that was left in the middle of a batch`() async throws {
        try await withTestDatabase { database in
            let hand = try await WorkerByHand(database, only: "conversation_turns")
            try await hand.connection.run(unsafeSQL: "create table batches (n integer)")
            let fleet = hand.fleet()
            try await fleet.join()
            let heart = Task { await fleet.run() }
            defer { heart.cancel() }
            var worker = hand.worker(of: fleet)
            worker.connection = hand.connection
            try await hand.connection.set("lock_timeout", to: "50ms")
            try await worker.settleOwnership(on: hand.connection)
            #expect(worker.owned.count == hand.keys.count)

            let left = try await PostgresConnection.connect(database)
            try await left.run(unsafeSQL: "begin; update projection_checkpoints set epoch = epoch")
            let silence = DispatchSemaphore(value: 0)
            let batch = Task {
                try await left.copyIn(unsafeSQL: "batches (n)") { _ in
                    _ = silence.wait(timeout: .now() + .seconds(120))
                }
            }
            defer { silence.signal() }
            try await eventually("it has its shards again", within: .seconds(60)) {
                worker.forget()
                do {
                    try await worker.settleOwnership(on: hand.connection)
                } catch let error as PostgresError where error.isLockTimeout {
                    try await worker.recover(from: error, since: .now, isPatient: true)
                }
                return worker.owned.count == hand.keys.count
            }
            silence.signal()
            await #expect(throws: PostgresError.self) { try await batch.value }
            heart.cancel()
            await heart.value
            await fleet.leave()
            await hand.connection.close()
        }
    }
}
