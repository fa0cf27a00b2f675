import EventModel
import Foundation
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// What the program carries.
private let shipped = (try? ProjectionFiles.all(in: .embedded)) ?? []

@Suite struct ProjectionVerifyTests {
    /// A way to falsify a read model, and what verification is to say of it.
    struct Falsification: Sendable, CustomTestStringConvertible {
        let projection: String
        let sql: String
        let kind: RowDifference.Kind
        var column: String?
        var testDescription: String { "\(projection): \(kind)" }
    }

    static let falsifications: [Falsification] = [
        .init(
            projection: "conversation_sessions",
            sql: "update conversation_sessions_v1 set total_cost = total_cost + 0.000001 where session_id = (%)",
            kind: .changed,
            column: "total_cost"
        ),
        .init(
            projection: "conversation_sessions",
            sql: "delete from conversation_sessions_v1 where session_id = (%)",
            kind: .missing
        ),
        .init(
            projection: "conversation_sessions",
            sql: """
                insert into conversation_sessions_v1 select (jsonb_populate_record(s, '{"session_id":
                    "00000000-0000-7000-8000-000000000001"}')).* from conversation_sessions_v1 s where is_session limit 1
                """,
            kind: .extra
        ),
        .init(
            projection: "conversation_turns",
            sql: "update conversation_turns_v1 set status = 'failed' where session_id = (%) and turn_index = 1",
            kind: .changed,
            column: "status"
        ),
        .init(
            projection: "conversation_turns",
            sql: "delete from conversation_turns_v1 where session_id = (%) and turn_index = 1",
            kind: .missing
        ),
        .init(
            projection: "conversation_turns",
            sql: """
                insert into conversation_turns_v1 select (jsonb_populate_record(t, '{"turn_id":
                    "00000000-0000-7000-8000-000000000001"}')).* from conversation_turns_v1 t limit 1
                """,
            kind: .extra
        ),
        .init(
            projection: "conversation_costs",
            sql: "update conversation_costs_v1 set calls = calls + 1 where session_id = (%) and stage = 'llm'",
            kind: .changed,
            column: "calls"
        ),
        .init(
            projection: "conversation_costs",
            sql: "delete from conversation_costs_v1 where session_id = (%) and stage = 'llm'",
            kind: .missing
        ),
        .init(
            projection: "conversation_costs",
            sql: """
                insert into conversation_costs_v1 select (jsonb_populate_record(c, '{"provider": "nobody"}')).*
                from conversation_costs_v1 c limit 1
                """,
            kind: .extra
        ),
        .init(
            projection: "audit_logs",
            sql:
                "update audit_logs_v1 set result = 'denied' where position = (select max(position) from audit_logs_v1)",
            kind: .changed,
            column: "result"
        ),
        .init(
            projection: "audit_logs",
            sql: "delete from audit_logs_v1 where position = (select max(position) from audit_logs_v1)",
            kind: .missing
        ),
        .init(
            projection: "audit_logs",
            sql: """
                insert into audit_logs_v1 select (jsonb_populate_record(a, '{"position": 99999999,
                    "id": "00000000-0000-7000-8000-000000000001"}')).* from audit_logs_v1 a limit 1
                """,
            kind: .extra
        ),
        .init(
            projection: "latency_metrics",
            sql: """
                update latency_metrics_minutes_v1 set sum_ms = sum_ms + 1
                where ctid = (select min(ctid) from latency_metrics_minutes_v1)
                    and tableoid = (select tableoid from latency_metrics_minutes_v1 order by ctid limit 1)
                """,
            kind: .changed,
            column: "sum_ms"
        ),
        .init(
            projection: "latency_metrics",
            sql: """
                delete from latency_metrics_minutes_v1 where (bucket_start, stage) =
                    (select bucket_start, stage from latency_metrics_minutes_v1 where stage = 'asr' limit 1)
                """,
            kind: .missing
        ),
        .init(
            projection: "latency_metrics",
            sql: """
                insert into latency_metrics_minutes_v1 select (jsonb_populate_record(m, '{"provider": "nobody"}')).*
                from latency_metrics_minutes_v1 m limit 1
                """,
            kind: .extra
        ),
    ]

    private func run(_ sql: String, _ database: PostgresConfiguration) async throws {
        let connection = try await PostgresConnection.connect(database)
        try await connection.run(
            unsafeSQL: sql.replacing("%", with: "select session_id from conversation_turns_v1 order by 1 limit 1")
        )
        await connection.close()
    }

    private func verify(
        _ name: String,
        _ database: PostgresConfiguration,
        sample: Int? = nil
    ) async throws -> VerifyOutcome {
        let files = try await ProjectionVerify.active(name, among: shipped, configuration: database)
        let verify = ProjectionVerify(files[0], configuration: database, options: RebuildOptions(batchSize: 100))
        return try await verify.run(sample: sample)
    }

    @Test(arguments: falsifications)
    func `a row that was changed, is missing or was put in is found and named`(falsification: Falsification)
        async throws
    {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 6, seed: 31))
            try await models.project(workers: 2)
            let projection = falsification.projection
            let right = try await verify(projection, database)
            #expect(right.comparison.differenceCount == 0, "\(right.comparison.differences)")
            #expect(right.comparison.rows.allSatisfy { $0.rows > 0 })

            try await run(falsification.sql, database)
            let wrong = try await verify(projection, database).comparison
            #expect(wrong.differenceCount > 0)
            let difference = try #require(wrong.differences.first { $0.view == projection })
            #expect(difference.kind == falsification.kind)
            #expect(!difference.key.isEmpty)
            if let column = falsification.column {
                #expect(difference.columns.map(\.name).contains(column))
                #expect(difference.columns.allSatisfy { $0.expected != $0.found })
            }
        }
    }

    @Test func `verification leaves no trace, and disturbs no projector`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 16, seed: 32)
            try await models.append(Array(events[..<200]))
            try await models.project()
            let projector = Projector(database, projections: try ProjectionFiles.newest(in: .embedded))
            let daemon = Task { try await projector.run() }
            let producer = Task {
                var rest = events[200...]
                while !rest.isEmpty {
                    try await models.append(Array(rest.prefix(7)))
                    rest = rest.dropFirst(7)
                }
            }
            for name in ReadModels.views {
                let outcome = try await verify(name, database)
                #expect(outcome.comparison.differenceCount == 0, "\(outcome.comparison.differences)")
            }
            try await producer.value
            daemon.cancel()
            try await daemon.value
            let connection = try await PostgresConnection.connect(database)
            let left = try await connection.text(
                unsafeSQL: """
                    select nspname::text from pg_namespace where nspname like 'recorder\\_%'
                    union all select projection from projection_rebuilds
                    """
            )
            await connection.close()
            #expect(left == [])
        }
    }

    @Test func `a sample folds the chosen streams only, where rows belong to streams`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 9, seed: 33))
            try await models.project()
            for name in ReadModels.views {
                let outcome = try await verify(name, database, sample: 4)
                #expect(outcome.comparison.differenceCount == 0)
                let isKeyed = name.hasPrefix("conversation_")
                #expect(outcome.sampledStreams == (isKeyed ? 4 : nil))
                if name == "conversation_sessions" { #expect(outcome.comparison.rows.first?.rows ?? 0 <= 4) }
            }
            try await run("update conversation_turns_v1 set user_transcript = 'never said'", database)
            #expect(try await verify("conversation_turns", database, sample: 4).comparison.differenceCount > 0)
        }
    }

    @Test(arguments: [1, 2, 3, 100])
    func `a stream of a sample is folded page after page, up to the event that fails`(page: Int) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let stream = StreamID.generate(at: .now())
            let ends = ["100", "200", #""soon""#, "300", "400"]
            let appends = try ends.enumerated().map { number, latency in
                let turn = String(format: "019cad8f-ac00-7e4e-a7b6-%012d", number)
                let data = #"{"turnId":"\#(turn)","llmLatencyMs":\#(latency)}"#
                let event = try EventDraft(id: .generate(at: .now()), type: .turnGenerated, data: Array(data.utf8))
                return Append(stream: stream, events: [event])
            }
            try await models.append(appends)
            try await models.project(onFailure: .quarantine)
            let files = try await ProjectionVerify.active("conversation_turns", among: shipped, configuration: database)
            let options = RebuildOptions(batchSize: page)
            let outcome = try await ProjectionVerify(files[0], configuration: database, options: options).run(sample: 1)
            #expect(outcome.comparison.differenceCount == 0, "\(outcome.comparison.differences)")
            #expect(outcome.comparison.rows.map(\.rows) == [2])
            // The page of the event that fails is the last.
            #expect(outcome.events == min(5, (2 / page + 1) * page))
        }
    }
}
