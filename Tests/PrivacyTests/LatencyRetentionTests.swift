import EventModel
import EventStore
import Postgres
import Projector
import ReadModel
import RecorderTesting
import Schema
import Testing

@testable import Privacy

/// What is left to ask, and to verify, where retention deleted minutes of latencies and audited rows.
@Suite struct LatencyRetentionTests {
    /// Two calls of 10 and 30 ms at 10:20 and 10:40 of the 2nd and the 3rd of March
    /// 2020, and what a user did on those days.
    private static let calls = """
        select append_events(jsonb_agg(event order by place)) from (
            select n as place, jsonb_build_object('stream', '019cad8f-ac00-7e4e-a7b6-815d4e98868f', 'type', 'turn.generated',
                'occurredAt', to_char(timestamp '2020-03-02 10:20' + n / 2 * interval '1 day' + n % 2 * interval '20 min',
                    'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                'data', jsonb_build_object('turnId', gen_random_uuid(), 'llmLatencyMs', 10 + n % 2 * 20)) as event
            from generate_series(0, 3) n
            union all
            select 10 + n, jsonb_build_object('stream', '019cad8f-0000-7e4e-a7b6-815d4e98868f', 'type', 'user.logged_in',
                'occurredAt', to_char(date '2020-03-01' + n, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
            from generate_series(0, 3) n
        ) events
        """

    /// Deletes what is older than half past ten on the 3rd.
    private static func withRetention(_ body: (PrivacyWorld) async throws -> Void) async throws {
        try await withPrivacyWorld { world in
            try await world.run(calls)
            try await world.project()
            try await world.run(
                """
                update retention_policies set keep_for = clock_timestamp() - '2020-03-03 10:30+00', enabled = true
                where name in ('latency_minutes', 'audit_logs')
                """
            )
            try await world.withPool { pool in
                try await world.withStore { store in
                    let outcomes = try await Retention(pool, store: store) { _ in false }.run()
                    let rows = outcomes.filter { [.latencyMinutes, .auditLogs].contains($0.policy.subject) }.map(\.rows)
                    #expect(rows == [2, 3])
                }
            }
            try await body(world)
        }
    }

    private static func filter(_ from: String?, _ until: String?) -> LatencyFilter {
        var filter = LatencyFilter()
        filter.from = from.flatMap { Timestamp($0) }
        filter.until = until.flatMap { Timestamp($0) }
        return filter
    }

    @Test func `minutes go by whole days`() async throws {
        try await Self.withRetention { world in
            let left = try await world.text("select bucket_start at time zone 'UTC' from latency_metrics order by 1")
            #expect(left == [["2020-03-03 10:20:00"], ["2020-03-03 10:40:00"]])
        }
    }

    @Test func `a range that cuts an hour without minutes is refused, never answered from what is left`() async throws {
        try await Self.withRetention { world in
            try await world.withPool { pool in
                let models = ReadModels(pool)
                for (from, until, count) in [
                    (nil, nil, 4), ("2020-03-02T10:00:00Z", nil, 4),
                    ("2020-03-02T11:00:00Z", "2020-03-03T10:30:00Z", 1),
                    ("2020-03-02T09:30:00Z", "2020-03-02T11:00:00Z", 2), ("2020-03-03T10:30:00Z", nil, 1),
                ] as [(String?, String?, Int)] {
                    let found = try await models.latency(of: [.llm], percentiles: [50], Self.filter(from, until))
                    #expect(found.map(\.count) == [count], "\(from ?? "") \(until ?? "")")
                }
                let cut = Self.filter("2020-03-02T10:30:00Z", nil)
                for filter in [cut, Self.filter("2020-03-02T10:00:00Z", "2020-03-02T10:30:00Z")] {
                    let error = await #expect(throws: ReadModelError.self) {
                        try await models.latency(of: [.llm], percentiles: [50], filter)
                    }
                    #expect(error?.code == .invalidArgument)
                    #expect(error?.description.contains("minutes before 2020-03-02T11:00Z were deleted") == true)
                }
                // Of a stage that was not measured then, nothing is missing.
                #expect(try await models.latency(of: [.asr], percentiles: [50], cut).map(\.count) == [0])
            }
        }
    }

    @Test func `steps that cut such an hour are refused, steps of whole hours are not`() async throws {
        try await Self.withRetention { world in
            try await world.withPool { pool in
                let models = ReadModels(pool)
                let all = Self.filter("2020-03-02T00:00:00Z", "2020-03-04T00:00:00Z")
                for minutes in [60, 120, 1_440] {
                    let series = try await models.latencySeries(of: .llm, step: .seconds(minutes * 60), all)
                    #expect(series.reduce(0) { $0 + $1.count } == 4, "\(minutes)")
                }
                for filter in [all, Self.filter("2020-03-02T00:30:00Z", "2020-03-04T00:30:00Z")] {
                    let step = Duration.seconds(filter.from == all.from ? 900 : 3_600)
                    let error = await #expect(throws: ReadModelError.self) {
                        try await models.latencySeries(of: .llm, step: step, filter)
                    }
                    #expect(error?.code == .invalidArgument)
                }
                #expect(try await models.latencySeries(of: .llm, step: .seconds(900)).map(\.count) == [1, 1])
            }
        }
    }

    @Test func `what retention deleted is no difference, what went otherwise is one`() async throws {
        try await Self.withRetention { world in
            #expect(try await world.differences() == 0)
            var past: [String: Int] = [:]
            for files in try ProjectionFiles.newest(in: .embedded) {
                let verify = ProjectionVerify(
                    files,
                    configuration: world.database,
                    options: RebuildOptions(keys: world.keys)
                )
                past[files.name] = try await verify.run().comparison.pastRetention
            }
            #expect(past.filter { $0.value > 0 } == ["latency_metrics": 2, "audit_logs": 3])
            try await world.run(
                """
                delete from latency_metrics_minutes_v1 where bucket_start = '2020-03-03 10:20+00';
                delete from audit_logs_v1 where timestamp = '2020-03-04'
                """
            )
            #expect(try await world.differences() == 2)
        }
    }
}
