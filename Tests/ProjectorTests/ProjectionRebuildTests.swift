import EventModel
import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// What the program carries.
private let shipped = (try? ProjectionFiles.all(in: .embedded)) ?? []

@Suite struct ProjectionRebuildTests {
    static let projections = ReadModels.views

    private func run(_ sql: String, _ database: PostgresConfiguration) async throws -> [[String?]] {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.text(unsafeSQL: sql)
        await connection.close()
        return rows
    }

    @Test(arguments: projections)
    func `a rebuilt model is the live one, and goes on from there`(name: String) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 14, seed: 21)
            let half = events.count / 2
            try await models.append(Array(events[..<half]))
            try await models.project(batchSize: 100, workers: 2)
            let before = (try await models.contents(), try await models.traces())
            let epoch = "select min(epoch) > 0, count(*) from projection_checkpoints where projection = '\(name)'"

            let rebuild = try RebuildGroup(
                [(name, nil)],
                among: shipped,
                configuration: database,
                options: RebuildOptions(parallelism: 3, batchSize: 40)
            )
            let outcome = try await rebuild.runAlone()
            #expect(outcome.comparison?.differenceCount == 0)
            #expect(outcome.comparison?.rows.allSatisfy { $0.rows > 0 } == true)
            #expect(!outcome.isResumed)
            let projection = try #require(try ProjectionFiles.newest(in: .embedded).first { $0.name == name })
            let handled = events[..<half].flatMap(\.events).filter { projection.handles($0.type) }
            #expect(outcome.events >= handled.count)
            #expect(try await models.contents() == before.0)
            #expect(try await models.traces() == before.1)
            let shards = min(16, shipped.first { $0.name == name }?.mostShards ?? 16)
            #expect(try await run(epoch, database) == [["t", "\(shards)"]])

            try await models.append(Array(events[half...]))
            try await models.project(workers: 2)
            let live = try await models.contents()
            try await models.forget()
            try await models.project()
            let afresh = try await models.contents()
            for view in ReadModels.views { #expect(live[view] == afresh[view], "\(view) differs") }
        }
    }

    @Test func `events that come during a rebuild are in it once, and readers see the old model or the new one, whole`()
        async throws
    {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.whileUsed(ReadModels.simulated(sessions: 40, seed: 22)) {
                for name in [
                    "conversation_sessions", "conversation_turns", "audit_logs", "conversation_sessions",
                    "latency_metrics",
                ] {
                    let outcome = try await RebuildGroup(
                        [(name, nil)],
                        among: shipped,
                        configuration: database,
                        options: RebuildOptions(parallelism: 3, batchSize: 50)
                    ).runAlone()
                    #expect(outcome.comparison?.differenceCount == 0)
                }
            }
        }
    }

    @Test func `limits that a role has for everybody end no rebuild and no verification`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 6, seed: 28))
            try await models.project()
            var hasty = database
            for name in ["statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"] {
                hasty.settings[name] = "1ms"
            }
            let outcome = try await RebuildGroup([("conversation_turns", nil)], among: shipped, configuration: hasty)
                .runAlone()
            #expect(outcome.comparison?.differenceCount == 0)
            let turns = try #require(shipped.first { $0.name == "conversation_turns" })
            for sample in [nil, 2] {
                let verified = try await ProjectionVerify(turns, configuration: hasty).run(sample: sample)
                #expect(verified.comparison.differenceCount == 0)
            }
        }
    }

    @Test func `a transaction that began before the new model was whole is waited for`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 6, seed: 23))
            try await models.project()
            let before = try await models.contents()["conversation_turns"]
            let reader = try await PostgresConnection.connect(database)
            try await reader.run(unsafeSQL: "begin isolation level repeatable read; select 1")
            var named = database
            named.applicationName = "the rebuild"
            let rebuild = try RebuildGroup([("conversation_turns", nil)], among: shipped, configuration: named)
            let rebuilding = Task { try await rebuild.runAlone() }
            // One that did not wait would not look again and again.
            var looks: Set<String> = []
            try await eventually("the rebuild looks for old snapshots three times") {
                let look = """
                    select query_start from pg_stat_activity
                    where application_name = 'the rebuild' and query like '%virtualtransaction%'
                    """
                for row in try await reader.text(unsafeSQL: "select pg_stat_clear_snapshot(); \(look)") {
                    if let start = row.first ?? nil { looks.insert(start) }
                }
                return looks.count >= 3
            }
            let seen = try await reader.text(unsafeSQL: "select to_jsonb(v)::text from conversation_turns v order by 1")
            #expect(seen.compactMap { $0.first ?? nil } == before)
            try await reader.run(unsafeSQL: "commit")
            await reader.close()
            _ = try await rebuilding.value
            #expect(try await models.contents()["conversation_turns"] == before)
        }
    }

    @Test(arguments: projections)
    func `a rebuild that is stopped at any moment goes on where it was`(name: String) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 12, seed: 24)
            try await models.append(events)
            try await models.project()
            let before = (try await models.contents(), try await models.traces())
            let options = RebuildOptions(parallelism: 2, batchSize: 60)
            let rebuild = try RebuildGroup([(name, nil)], among: shipped, configuration: database, options: options)
            var read = 0
            var outcome: RebuildOutcome?
            var runs = 0
            while outcome == nil {
                runs += 1
                try #require(runs <= 100, "it does not come to its end")
                let limit = runs
                let here = Shared(0)
                let result = await cancelled(after: limit) { told in
                    try await rebuild.runAlone { progress in
                        here.withLock { $0 = progress.done }
                        told()
                    }
                }
                switch result {
                case .success(let done): outcome = done
                case .failure(let error): #expect(error is CancellationError || error is PostgresError, "\(error)")
                }
                let now = here.value
                #expect(now >= read, "what was folded was folded again")
                read = max(read, now)
            }
            #expect(runs > 3)
            #expect(outcome?.isResumed == true)
            #expect(try await models.contents() == before.0)
            #expect(try await models.traces() == before.1)
        }
    }

    @Test(arguments: projections)
    func `a cancelled rebuild leaves no trace`(name: String) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 8, seed: 25))
            try await models.project()
            let before = (try await models.contents(), try await models.traces())
            let rebuild = try RebuildGroup(
                [(name, nil)],
                among: shipped,
                configuration: database,
                options: RebuildOptions(parallelism: 2, batchSize: 50)
            )
            #expect(try await rebuild.cancel().isEmpty)
            _ = await cancelled(after: 1) { told in try await rebuild.runAlone { _ in told() } }
            #expect(try await models.traces() != before.1)
            #expect(try await rebuild.cancel() == [name])
            #expect(try await models.traces() == before.1)
            #expect(try await models.contents() == before.0)
        }
    }

    @Test func `a live model that was tampered with is not swapped away unless that is accepted`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 6, seed: 26))
            try await models.project()
            let right = try await models.contents()["conversation_turns"]
            let changed = try await run(
                """
                update conversation_turns_v1 set llm_response = 'never said'
                where turn_id = (select min(turn_id::text)::uuid from conversation_turns where llm_response is not null)
                returning turn_id
                """,
                database
            )
            let wrong = try await models.contents()["conversation_turns"]
            do {
                try await RebuildGroup([("conversation_turns", nil)], among: shipped, configuration: database)
                    .runAlone()
                Issue.record("the models were swapped")
            } catch let error as ProjectorError {
                #expect(error.code == .modelsDiffer)
                #expect(error.comparison?.differenceCount == 1)
                let difference = error.comparison?.differences.first
                #expect(difference?.kind == .changed)
                #expect(difference?.key.last == .init(name: "turn_id", expected: changed[0][0], found: changed[0][0]))
                #expect(difference?.columns.map(\.name) == ["llm_response"])
                #expect(difference?.columns.first?.found == "never said")
            }
            #expect(try await models.contents()["conversation_turns"] == wrong)
            let outcome = try await RebuildGroup(
                [("conversation_turns", nil)],
                among: shipped,
                configuration: database,
                options: RebuildOptions(acceptDifferences: true)
            ).runAlone()
            #expect(outcome.isResumed)
            #expect(outcome.comparison?.differenceCount == 1)
            #expect(try await models.contents()["conversation_turns"] == right)
        }
    }

    /// Where the schema is gone, the shadow's names mean the live tables: as
    /// after a dump of the recorder's schema alone.
    @Test(arguments: [true, false])
    func `a shadow whose schema is gone is begun anew, and no live table is touched`(isRunning: Bool) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 12, seed: 27))
            try await models.project()
            let before = try await models.contents()
            let rebuild = try RebuildGroup(
                [("conversation_costs", nil)],
                among: shipped,
                configuration: database,
                options: RebuildOptions(parallelism: 1, batchSize: 20)
            )
            let drop = "drop schema recorder_rebuild_conversation_costs_v1 cascade"
            if isRunning {
                let (started, continuation) = AsyncStream.makeStream(of: Void.self)
                let task = Task {
                    defer { continuation.finish() }
                    return try await rebuild.runAlone { _ in continuation.yield() }
                }
                for await _ in started { break }
                _ = try await run(drop, database)
                switch await task.result {
                case .success(let outcome): #expect(outcome.comparison != nil)
                case .failure(let error): #expect(error is PostgresError || error is ProjectorError, "\(error)")
                }
            } else {
                _ = await cancelled(after: 1) { told in try await rebuild.runAlone { _ in told() } }
                _ = try await run(drop, database)
            }
            #expect(try await models.contents() == before)
            let outcome = try await rebuild.runAlone()
            #expect(!outcome.isResumed)
            #expect(outcome.comparison?.differenceCount == 0)
            #expect(try await models.contents() == before)
        }
    }
}
