import EventModel
import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// Events that are legal, and like no other.
@Suite struct StrangeEventTests {
    private static let turn = "019cad8f-ac00-7e4e-a7b6-000000000001"

    private func event(_ type: EventType, _ data: String) throws -> EventDraft {
        try EventDraft(id: .generate(at: .now()), type: type, data: Array(data.utf8))
    }

    @Test func `an event of an unknown type counts, and what it holds is nobody's business`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let stream = StreamID.generate(at: .now())
            let events = [
                try event(.sessionStarted, "{}"),
                try event(
                    EventType("call.transferred"),
                    #"{"to":{"number":"+43"},"from":1,"userId":false,"config":7}"#
                ),
                try event(EventType("quality.rated"), #"{"turnId":3,"llmCost":"much"}"#),
                try event(.turnStarted, #"{"turnId":"\#(Self.turn)","turnIndex":1.0}"#),
                try event(
                    .turnGenerated,
                    #"{"turnId":"\#(Self.turn)","inputTokens":1e2,"llmLatencyMs":7,"outputTokens":-0.0}"#
                ),
            ]
            // In one batch, event by event, and over the table of a large batch.
            try await models.append(events.map { Append(stream: stream, events: [$0]) })
            try await models.append(ReadModels.simulated(sessions: 8, seed: 5))
            var found: [[String: [String]]] = []
            for batchSize in [1, 3, 10_000] {
                try await models.project(batchSize: batchSize)
                found.append(try await models.contents())
                try await withConnection(database) { connection in
                    let rows = try await connection.text(
                        unsafeSQL: """
                            select s.version, s.total_turns, s.state, t.turn_index, t.input_tokens, t.llm_latency_ms
                            from conversation_sessions s join conversation_turns t on t.session_id = s.id
                            where s.id = '\(stream)'
                            """
                    )
                    #expect(rows == [["5", "1", "idle", "1", "100", "7"]])
                }
                try await models.forget()
            }
            #expect(found[0] == found[1] && found[1] == found[2])
        }
    }

    @Test func `an event whose type is not known any more stops its own stream`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let (ill, well) = (StreamID.generate(at: .now()), StreamID.generate(at: .now()))
            for stream in [ill, well] {
                try await models.append([Append(stream: stream, events: [try event(.sessionStarted, "{}")])])
            }
            try await withConnection(database) { connection in
                try await connection.run(
                    unsafeSQL: """
                        insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload)
                        select occurred_at, 2, 31000, encoding, stream_id, gen_random_uuid(), payload from events
                        where stream_id = '\(ill)'
                        """
                )
                try await models.append([Append(stream: well, events: [try event(.sessionEnded, "{}")])])
                try await models.project(onFailure: .quarantine)
                let stopped = try await connection.text(
                    unsafeSQL: "select distinct stream_id, event_version from projection_quarantine"
                )
                #expect(stopped == [[ill.description, "2"]])
                let ended = try await connection.text(
                    unsafeSQL: "select version from conversation_sessions where id = '\(well)'"
                )
                #expect(ended == [["2"]])
                // Neither does a rebuild end with it, nor a retry.
                let rebuild = try RebuildGroup(
                    [("conversation_sessions", nil)],
                    among: try ProjectionFiles.all(in: .embedded),
                    configuration: database,
                    options: RebuildOptions()
                )
                #expect(try await rebuild.runAlone().comparison?.differenceCount == 0)
                try await connection.execute(Quarantine.RequestRetry(projection: nil, stream: nil))
                try await models.project(onFailure: .quarantine)
                let attempts = try await connection.text(
                    unsafeSQL: "select distinct attempts from projection_quarantine"
                )
                #expect(attempts == [["2"]])
                try await connection.run(
                    unsafeSQL: "insert into event_types (id, name) overriding system value values (31000, 'note.taken')"
                )
                try await connection.execute(Quarantine.RequestRetry(projection: nil, stream: nil))
                try await models.project(onFailure: .quarantine)
                let left = try await connection.text(unsafeSQL: "select count(*) from projection_quarantine")
                #expect(left == [["0"]])
            }
        }
    }

    @Test func `a field of other types is one more unknown field where it does not fit`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let stream = StreamID.generate(at: .now())
            let turn = #""turnId":"\#(Self.turn)""#
            let events = [
                try event(.sessionStarted, #"{"turnId":7,"to":[]}"#),
                try event(.turnStarted, "{\(turn),\"turnIndex\":1}"),
                try event(.sessionStateChanged, #"{"from":"idle","to":"listening","model":7,"config":3}"#),
                try event(.turnInterrupted, #"{\#(turn),"by":"user","model":{"vad":"silero"},"llmCost":"much"}"#),
                try event(.turnCompleted, #"{\#(turn),"inputTokens":{},"userTranscript":1,"endToEndLatencyMs":9}"#),
            ]
            try await models.append(events.map { Append(stream: stream, events: [$0]) })
            var found: [[String: [String]]] = []
            for batchSize in [1, 10_000] {
                try await models.project(batchSize: batchSize)
                found.append(try await models.contents())
                try await withConnection(database) { connection in
                    let rows = try await connection.text(
                        unsafeSQL: """
                            select s.version, s.state, t.status, t.input_tokens, t.end_to_end_latency_ms
                            from conversation_sessions s join conversation_turns t on t.session_id = s.id
                            """
                    )
                    #expect(rows == [["5", "listening", "interrupted", nil, "9"]])
                }
                try await models.forget()
            }
            #expect(found[0] == found[1])
        }
    }

    @Test(arguments: [#""NaN""#, #""Infinity""#, #""1e400""#, "1e-400", "1e-301", "1.7e308", #""1e301""#])
    func `a number that no view could show is a failing event, and every view can be read`(number: String) async throws
    {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let (ill, well) = (StreamID.generate(at: .now()), StreamID.generate(at: .now()))
            for (stream, latency) in [(ill, number), (well, "1e299"), (well, "1e-299")] {
                let data = #"{"turnId":"\#(Self.turn)","llmLatencyMs":\#(latency),"llmCost":\#(latency)}"#
                try await models.append([Append(stream: stream, events: [try event(.turnGenerated, data)])])
            }
            try await models.project(onFailure: .quarantine)
            try await withConnection(database) { connection in
                let stopped = try await connection.text(
                    unsafeSQL:
                        "select distinct stream_id from projection_quarantine where projection <> 'latency_metrics'"
                )
                #expect(stopped == [[ill.description]])
            }
            _ = try await models.contents()
        }
    }
}
