import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Projector

@Suite struct QuarantineTests {
    private func event(_ type: EventType, _ data: String) throws -> EventDraft {
        try EventDraft(id: .generate(at: .now()), type: type, data: Array(data.utf8))
    }

    private func turn(_ number: Int, latency: String) throws -> EventDraft {
        let turn = String(format: "019cad8f-ac00-7e4e-a7b6-%012d", number)
        return try event(.turnGenerated, #"{"turnId":"\#(turn)","llmLatencyMs":\#(latency)}"#)
    }

    private func rows(_ sql: String, _ database: PostgresConfiguration) async throws -> [[String?]] {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.text(unsafeSQL: sql)
        await connection.close()
        return rows
    }

    @Test func `a failing event stops its own stream for the projections that it fails, and nobody else's`()
        async throws
    {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let (ill, well) = (StreamID.generate(at: .now()), StreamID.generate(at: .now()))
            var appends: [Append] = []
            for stream in [ill, well] {
                appends.append(Append(stream: stream, events: [try event(.sessionStarted, "{}")]))
                appends.append(Append(stream: stream, events: [try turn(1, latency: "100")]))
            }
            appends.append(Append(stream: ill, events: [try turn(2, latency: #""soon""#)]))
            for stream in [ill, well] { appends.append(Append(stream: stream, events: [try turn(3, latency: "300")])) }
            appends.append(Append(stream: ill, events: [try event(.sessionEnded, "{}")]))
            try await models.append(appends)
            try await models.project(onFailure: .quarantine)

            let quarantined = try await rows(
                "select projection, stream_id, event_version from projection_quarantine order by 1",
                database
            )
            // Every projection that declares llmLatencyMs of turn.generated; the audit log does not, and goes on.
            let stopped = ["conversation_sessions", "conversation_turns", "latency_metrics"]
            #expect(quarantined == stopped.map { [$0, ill.description, "3"] })
            let turns = try await rows(
                "select session_id, count(*) from conversation_turns group by 1 order by 2",
                database
            )
            #expect(turns == [[ill.description, "1"], [well.description, "2"]])
            let audited = try await rows("select count(*) from audit_logs", database)
            #expect(audited == [["3"]])
        }
    }

    @Test func `after the fix a retry takes the stream up in its order, as if nothing had happened`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let stream = StreamID.generate(at: .now())
            // A constraint that some events break, until it is dropped.
            let connection = try await PostgresConnection.connect(database)
            try await connection.run(
                unsafeSQL: "alter table conversation_turns_v1 add constraint quick check (llm_latency_ms < 1000)"
            )
            var appends = [Append(stream: stream, events: [try event(.sessionStarted, "{}")])]
            for (number, latency) in [(1, "100"), (2, "5000"), (2, "7"), (3, "300")] {
                appends.append(Append(stream: stream, events: [try turn(number, latency: latency)]))
            }
            try await models.append(appends)
            for other in ReadModels.simulated(sessions: 2, seed: 11).chunked(by: 50) {
                try await models.append(Array(other))
            }
            try await models.project(onFailure: .quarantine)
            let stopped = try await connection.text(
                unsafeSQL: """
                    select projection, event_version, attempts from projection_quarantine
                    where stream_id = '\(stream)'
                    """
            )
            #expect(stopped == [["conversation_turns", "3", "1"]])

            // Events that come meanwhile wait in their order.
            try await models.append([Append(stream: stream, events: [try turn(4, latency: "400")])])
            try await models.project(onFailure: .quarantine)
            let held = try await connection.text(
                unsafeSQL: "select count(*) from conversation_turns where session_id = '\(stream)'"
            )
            #expect(held == [["1"]])

            // Without a fix it fails again, and counts.
            try await connection.execute(Quarantine.RequestRetry(projection: "conversation_turns", stream: nil))
            try await models.project(onFailure: .quarantine)
            let again = try await connection.text(
                unsafeSQL: "select attempts from projection_quarantine where stream_id = '\(stream)'"
            )
            #expect(again == [["2"]])

            try await connection.run(unsafeSQL: "alter table conversation_turns_v1 drop constraint quick")
            try await connection.execute(Quarantine.RequestRetry(projection: nil, stream: nil))
            try await models.project(onFailure: .quarantine)
            let left = try await connection.text(unsafeSQL: "select count(*) from projection_quarantine")
            #expect(left == [["0"]])
            await connection.close()
            let retried = try await models.contents()
            try await models.forget()
            try await models.project()
            let undisturbed = try await models.contents()
            for view in ReadModels.views { #expect(retried[view] == undisturbed[view], "\(view) differs") }
        }
    }

    /// Between two batches of a large window: what the stream holds behind the
    /// shard's place is folded when that is reached.
    @Test func `a retry in the middle of a window goes as far as the shard is, and no further`() async throws {
        try await withTestDatabase { database in
            let worker = try await WorkerByHand(database, only: "conversation_turns")
            let models = ReadModels(database: database)
            let stream = StreamID.generate(at: .now())
            try await worker.connection.run(
                unsafeSQL: "alter table conversation_turns_v1 add constraint quick check (llm_latency_ms < 5000000)"
            )
            let latencies = ["5000000"] + Array(repeating: "7", count: 20)
            try await models.append(
                try latencies.enumerated().map { Append(stream: stream, events: [try turn($0, latency: $1)]) }
            )
            var owned = try await worker.claim(worker.worker)
            var found: OwnedShard?
            while found == nil {
                let outcome = try await worker.round(owned, isCareful: true, batchSize: 5)
                owned = outcome.owned
                found = owned.values.first { $0.stopped.contains(stream) }
                #expect(outcome.hasMore)
                guard outcome.hasMore else { break }
            }
            let shard = try #require(found)
            #expect(shard.cursor.window != nil)
            try await worker.connection.run(unsafeSQL: "alter table conversation_turns_v1 drop constraint quick")

            let stopped = try await worker.connection.query(Quarantine.Select(keys: worker.keys))
            let retry = StreamRetry(
                owner: worker.worker,
                stopped: try #require(stopped.first),
                projection: worker.projections[0],
                decoder: EventDecoder()
            )
            let goesOn = try await worker.connection.transaction(isolation: .repeatableRead) { connection in
                try await retry.run(on: connection, owned: shard)
            }
            #expect(goesOn)
            owned = try await worker.claim(worker.worker)
            var hasMore = true
            while hasMore {
                let outcome = try await worker.round(owned, batchSize: 5)
                (owned, hasMore) = (outcome.owned, outcome.hasMore)
            }
            await worker.connection.close()
            let turns = try await rows(
                "select llm_latency_ms, count(*) from conversation_turns where session_id = '\(stream)' group by 1 order by 1",
                database
            )
            #expect(turns == [["7", "20"], ["5000000", "1"]])
        }
    }

    /// What is done to a stored frame.
    enum Damage: String, CaseIterable {
        /// Its last byte is another.
        case corruptFrame = "set_byte(payload, length(payload) - 1, get_byte(payload, length(payload) - 1) # 255)"
        /// It names a dictionary that is not there.
        case missingDictionary = "set_byte(payload, 1, 77)"

        var reason: String { self == .corruptFrame ? "payload cannot be decoded" : "dictionary 77 is not in the table" }
    }

    @Test func `a dictionary that is damaged stops the streams that need it, and no projector`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let (ill, well) = (StreamID.generate(at: .now()), StreamID.generate(at: .now()))
            let text = #"{"turnId":"t","llmResponse":"of course I can help you with that"}"#
            try await models.append([Append(stream: ill, events: [try event(.turnGenerated, text)])])
            for type in [EventType.sessionStarted, .sessionEnded] {
                try await models.append([Append(stream: well, events: [try event(type, "{}")])])
            }
            _ = try await rows(
                """
                alter table dictionaries drop constraint dictionaries_checksum, disable trigger user;
                update dictionaries set bytes = set_byte(bytes, 0, get_byte(bytes, 0) # 1)
                """,
                database
            )
            try await models.project(onFailure: .quarantine)
            let stopped = try await rows("select stream_id, error from projection_quarantine", database)
            #expect(!stopped.isEmpty)
            for row in stopped { #expect(row[0] == ill.description && row[1]?.contains("is damaged") == true) }
            let ended = "select id from conversation_sessions where ended_at is not null"
            #expect(try await rows(ended, database) == [[well.description]])
        }
    }

    @Test(arguments: Damage.allCases)
    func `a frame that cannot be decoded stops its stream, and a retry takes it up when the frame is restored`(
        damage: Damage
    ) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let (ill, well) = (StreamID.generate(at: .now()), StreamID.generate(at: .now()))
            let text =
                #"{"turnId":"019cad8f-ac00-7e4e-a7b6-000000000001","llmResponse":"of course I can help you with that"}"#
            for stream in [ill, well] {
                let types: [(EventType, String)] = [
                    (.sessionStarted, "{}"), (.turnGenerated, text), (.sessionEnded, "{}"),
                ]
                try await models.append(try types.map { Append(stream: stream, events: [try event($0, $1)]) })
            }
            // The log refuses changes, but for its owner who takes its triggers away.
            let frame = "(select payload from events where stream_id = '\(ill)' and version = 2)"
            func change(_ payload: String) async throws {
                _ = try await rows(
                    """
                    begin;
                    do $$ declare part regclass; begin
                        for part in select inhrelid from pg_inherits where inhparent = 'events'::regclass loop
                            execute format('alter table %s disable trigger user', part);
                        end loop;
                        update events set payload = \(payload) where stream_id = '\(ill)' and version = 2;
                        for part in select inhrelid from pg_inherits where inhparent = 'events'::regclass loop
                            execute format('alter table %s enable trigger user', part);
                        end loop;
                    end $$;
                    commit
                    """,
                    database
                )
            }
            _ = try await rows("create table kept as select \(frame) as payload", database)
            try await change(damage.rawValue)
            try await models.project(onFailure: .quarantine)
            let stopped = try await rows("select stream_id, event_version, error from projection_quarantine", database)
            #expect(!stopped.isEmpty)
            #expect(stopped.allSatisfy { $0[0] == ill.description && $0[1] == "2" })
            #expect(stopped.allSatisfy { $0[2]?.contains(damage.reason) == true }, "\(stopped)")
            let ended = "select id from conversation_sessions where ended_at is not null"
            #expect(try await rows(ended, database) == [[well.description]])

            try await change("(select payload from kept)")
            let retried = try await RecorderCommand.run("projections", "retry", databaseURL: database.url)
            #expect(retried.status == 0, "\(retried.errors)")
            try await models.project(onFailure: .quarantine)
            #expect(try await rows("select from projection_quarantine", database).isEmpty)
            #expect(try await rows(ended, database).count == 2)
        }
    }

    @Test func `a projection whose SQL fails is suspended, and the others go on`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let connection = try await PostgresConnection.connect(database)
            try await connection.run(unsafeSQL: "alter table audit_chains_v1 rename to elsewhere")
            try await models.append(ReadModels.simulated(sessions: 2, seed: 12))
            do {
                try await models.project(onFailure: .quarantine)
                Issue.record("caught up without the audit log")
            } catch let error as ProjectorError {
                #expect(error.code == .projectionFailed)
            }
            #expect(try await models.contents()["conversation_sessions"]?.count == 2)
            let errors = try await connection.text(
                unsafeSQL: "select distinct projection from projection_checkpoints where error is not null"
            )
            #expect(errors == [["audit_logs"]])
            try await connection.run(unsafeSQL: "alter table elsewhere rename to audit_chains_v1")
            await connection.close()
            try await models.project(onFailure: .quarantine)
            #expect(try await models.contents()["audit_logs"]?.isEmpty == false)
        }
    }
}

extension Array {
    /// The array in parts of so many elements.
    fileprivate func chunked(by count: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
    }
}
