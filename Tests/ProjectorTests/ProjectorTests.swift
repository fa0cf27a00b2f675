import EventModel
import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

@Suite struct ProjectorTests {
    @Test func `read models do not depend on how events were batched`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 12, seed: 7)
            try await models.append(events)
            #expect(try await models.project(batchSize: 1_000) == events.count)
            let expected = try await models.contents()
            #expect(expected["conversation_sessions"]?.count == 12)
            for view in ReadModels.views { #expect(expected[view]?.isEmpty == false, "\(view) is empty") }
            for batchSize in [3, 61, 5_000] {
                try await models.forget()
                try await models.project(batchSize: batchSize)
                let contents = try await models.contents()
                for view in ReadModels.views {
                    #expect(contents[view] == expected[view], "\(view) differs in batches of \(batchSize)")
                }
            }
        }
    }

    @Test func `values larger than a page go through batches of every form`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let text = String(repeating: "what was said ", count: 1_500)
            let appends = try (0..<BatchTable.threshold * 2).map { number in
                let turn = StreamID.generate(at: .now())
                return Append(
                    stream: StreamID.generate(at: .now()),
                    events: [
                        try EventDraft(
                            id: .generate(at: .now()),
                            type: EventType("turn.transcribed"),
                            data: Array(#"{"turnId":"\#(turn)","userTranscript":"\#(number) \#(text)"}"#.utf8)
                        )
                    ]
                )
            }
            try await models.append(appends)
            try await models.project(batchSize: BatchTable.threshold * 2)
            let together = try await models.contents()
            #expect(together["conversation_turns"]?.count == appends.count)
            try await models.forget()
            try await models.project(batchSize: BatchTable.threshold - 1)
            let apart = try await models.contents()
            for view in ReadModels.views { #expect(together[view] == apart[view], "\(view) differs") }
        }
    }

    @Test func `projecting while events come ends like projecting afterwards`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 10, seed: 8)
            var rest = events[...]
            while !rest.isEmpty {
                try await models.append(Array(rest.prefix(37)))
                rest = rest.dropFirst(37)
                try await models.project()
            }
            let live = try await models.contents()
            try await models.forget()
            try await models.project()
            let rebuilt = try await models.contents()
            for view in ReadModels.views { #expect(live[view] == rebuilt[view], "\(view) differs") }
        }
    }

    @Test func `two projectors at once count every event once`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 15, seed: 9)
            try await models.append(events)
            async let first = models.project(batchSize: 50, workers: 2)
            async let second = models.project(batchSize: 70)
            #expect(try await first + second >= events.count)
            let raced = try await models.contents()
            try await models.forget()
            try await models.project()
            let alone = try await models.contents()
            for view in ReadModels.views { #expect(raced[view] == alone[view], "\(view) differs") }
        }
    }

    @Test func `the daemon follows appends without being asked, and stops when it is cancelled`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let projector = Projector(database, projections: try ProjectionFiles.newest(in: .embedded))
            let daemon = Task { try await projector.run() }
            defer { daemon.cancel() }
            let events = ReadModels.simulated(sessions: 3, seed: 10)
            try await models.append(events)
            let connection = try await PostgresConnection.connect(database)
            var applied = 0
            try await eventually("all events are applied") {
                let rows = try await connection.text(
                    unsafeSQL:
                        "select sum(events) from projection_checkpoints where projection = 'conversation_sessions'"
                )
                applied = rows.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0
                return applied >= events.count
            }
            #expect(applied == events.count)
            await connection.close()
            daemon.cancel()
            try await daemon.value
        }
    }

    @Test func `the daemon makes the partitions of the months to come`() async throws {
        try await withTestDatabase { database in
            let connection = try await PostgresConnection.connect(database)
            // As they would be after a while.
            let last = try await connection.text(
                unsafeSQL: """
                    select inhrelid::regclass::text from pg_inherits
                    where inhparent = 'events'::regclass
                        and inhrelid::regclass::text ~ to_char(now() + interval '3 months', '"_"YYYY_MM$')
                        or inhparent = 'latency_metrics_minutes_v1'::regclass
                        and inhrelid::regclass::text ~ to_char(now() + interval '12 months', '"_"YYYY_MM$')
                    order by 1
                    """
            ).compactMap { $0[0] }
            #expect(last.count == 2)
            for partition in last { try await connection.run(unsafeSQL: "drop table \(partition)") }
            let daemon = Task { [projections = try ProjectionFiles.newest(in: .embedded)] in
                try await Projector(database, projections: projections).run()
            }
            defer { daemon.cancel() }
            let there =
                "select count(*) from unnest('{\(last.joined(separator: ","))}'::text[]) where to_regclass(unnest) is not null"
            try await eventually("both partitions are there") {
                try await connection.text(unsafeSQL: there) == [["2"]]
            }
            await connection.close()
            daemon.cancel()
            try await daemon.value
        }
    }

    @Test func `an event whose value does not fit stops the projector, which names it, and nothing of its batch stays`()
        async throws
    {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let session = StreamID.generate(at: .now())
            let poison = try EventDraft(
                id: .generate(at: .now()),
                type: EventType("turn.generated"),
                data: Array(#"{"turnId":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","llmLatencyMs":"soon"}"#.utf8)
            )
            try await models.append([
                Append(stream: session, events: [try EventDraft(id: .generate(at: .now()), type: .sessionStarted)]),
                Append(stream: session, events: [poison]),
            ])
            do {
                try await models.project()
                Issue.record("the projector went on")
            } catch let error as ProjectorError {
                #expect(error.code == .failingEvent)
                #expect(error.message.contains("\(poison.id)"))
                #expect(error.message.contains("data.llmLatencyMs"))
            }
            #expect(try await models.contents()["conversation_sessions"] == [])
        }
    }

    @Test func `a log from another cluster is refused`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let connection = try await PostgresConnection.connect(database)
            try await connection.run(
                unsafeSQL: """
                    insert into events (transaction_id, occurred_at, version, type, encoding, stream_id, event_id, payload)
                    values ('99999999999', now(), 1, 1, 0, gen_random_uuid(), gen_random_uuid(), identity_frame('{}', '{}'))
                    """
            )
            await connection.close()
            do {
                try await models.project()
                Issue.record("the projector took the log")
            } catch let error as ProjectorError {
                #expect(error.code == .restoredLog)
                #expect(error.message.contains("99999999999"))
            }
        }
    }

    @Test func `what SQL clients append is projected as well`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let connection = try await PostgresConnection.connect(database)
            try await connection.run(
                unsafeSQL: """
                    select append_event('019cad8f-ac00-7e4e-a7b6-815d4e98868f', 'session.started',
                        '{"llmProvider": "openai", "config": {"größe": "ß"}}', '{"actor": "psql"}');
                    """
            )
            await connection.close()
            try await models.project()
            let sessions = try await models.contents()["conversation_sessions"]
            #expect(sessions?.count == 1)
            #expect(sessions?.first?.contains(#""config": {"größe": "ß"}"#) == true)
        }
    }
}
