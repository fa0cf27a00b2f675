import EventModel
import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// What the program carries.
private let shipped = (try? ProjectionFiles.all(in: .embedded)) ?? []

/// Several read models rebuilt in one reading of the log.
@Suite struct RebuildGroupTests {
    private func run(_ sql: String, _ database: PostgresConfiguration) async throws -> [[String?]] {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.text(unsafeSQL: sql)
        await connection.close()
        return rows
    }

    private func group(
        _ database: PostgresConfiguration,
        of names: [String] = ReadModels.views,
        among files: [ProjectionFiles] = shipped,
        parallelism: Int = 2,
        batchSize: Int = 300
    ) throws -> RebuildGroup {
        try RebuildGroup(
            names.map { ($0, nil) },
            among: files,
            configuration: database,
            options: RebuildOptions(parallelism: parallelism, batchSize: batchSize)
        )
    }

    /// Runs a rebuild, and cancels it when it has told of so many batches.
    private func stop(_ group: RebuildGroup, after batches: Int) async throws {
        switch await cancelled(after: batches, { told in try await group.run { _ in told() } }) {
        case .success: Issue.record("it was done before it was stopped")
        case .failure(let error): #expect(error is CancellationError || error is PostgresError, "\(error)")
        }
    }

    @Test(arguments: [1, 2, 3])
    func `models that are rebuilt together are the live ones, and go on from there`(parallelism: Int) async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 12, seed: 71)
            let half = events.count / 2
            try await models.append(Array(events[..<half]))
            try await models.project(batchSize: 100, workers: 2)
            let before = (try await models.contents(), try await models.traces())
            let results = try await group(database, parallelism: parallelism).run()
            #expect(results.map(\.projection.name) == ReadModels.views)
            for result in results {
                let outcome = try result.outcome.get()
                #expect(outcome.comparison?.differenceCount == 0)
                #expect(outcome.events == events[..<half].count { result.projection.handles($0.events[0].type) })
            }
            #expect(try await models.contents() == before.0)
            #expect(try await models.traces() == before.1)

            try await models.append(Array(events[half...]))
            try await models.project(workers: 2)
            let live = try await models.contents()
            try await models.forget()
            try await models.project()
            #expect(try await models.contents() == live)
        }
    }

    @Test func `models that nobody has projected yet are built and have the shards of a projector`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 8, seed: 72))
            for result in try await group(database).run() { #expect(try result.outcome.get().comparison == nil) }
            let built = try await models.contents()
            let shards = try await run(
                "select projection, count(*) from projection_checkpoints group by 1 having count(*) <> 16",
                database
            )
            #expect(shards == [["audit_logs", "1"]])
            try await models.forget()
            try await models.project()
            #expect(try await models.contents() == built)
        }
    }

    @Test func `an event that one projection cannot apply stops its stream there, and nothing of the others`()
        async throws
    {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            var appends = ReadModels.simulated(sessions: 6, seed: 73)
            // A latency that is no number, which is found in this process; and counts that are too much together for
            // two of the projections, which is found when the server refuses the batch.
            let most = #""model":"m","inputTokens":\#(Int64.max)"#
            let (first, last) = (appends[20].stream, appends[appends.count - 20].stream)
            try #require(first != last)
            for (place, stream, fields) in [
                (40, first, #""llmLatencyMs":"soon""#), (appends.count - 10, last, most), (appends.count, last, most),
            ] {
                let data = #"{"turnId":"019cad8f-ac00-7e4e-a7b6-815d4e98868f",\#(fields)}"#
                let event = try EventDraft(id: .generate(at: .now()), type: .turnGenerated, data: Array(data.utf8))
                appends.insert(Append(stream: stream, events: [event]), at: place)
            }
            try await models.append(appends)
            try await models.project(onFailure: .quarantine)
            let quarantine =
                "select projection, stream_id, event_version, shard from projection_quarantine order by 1, 2"
            let before = (try await models.contents(), try await run(quarantine, database))
            #expect(
                before.1.map { $0[0] } == [
                    "conversation_costs", "conversation_sessions", "conversation_turns", "conversation_turns",
                    "latency_metrics",
                ]
            )
            for result in try await group(database, batchSize: 70).run() {
                #expect(try result.outcome.get().comparison?.differenceCount == 0)
            }
            #expect(try await models.contents() == before.0)
            #expect(try await run(quarantine, database) == before.1)
        }
    }

    @Test func `a projection whose SQL fails does not stop the others`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 6, seed: 74))
            try await models.project()
            let before = try await models.contents()
            var texts = SQLFiles.embedded.texts
            for name in ["table.sql", "apply.sql", "view.sql"] {
                let text = texts["projections/conversation_costs/v1/\(name)"] ?? ""
                texts["projections/conversation_costs/v2/\(name)"] = text.replacing("_costs_v1", with: "_costs_v2")
                    .replacing("total.calls +", with: "total.call +")
            }
            let files = try ProjectionFiles.all(in: SQLFiles(texts: texts))
            let names = ["conversation_turns", "conversation_costs", "audit_logs"]
            let results = try await group(database, of: names, among: files).run()
            #expect(results.map(\.projection.name) == names)
            let error = #expect(throws: ProjectorError.self) { try results[1].outcome.get() }
            #expect(error?.code == .projectionFailed && error?.projection?.name == "conversation_costs")
            for place in [0, 2] { #expect(try results[place].outcome.get().comparison?.differenceCount == 0) }
            #expect(try await models.contents() == before)
            #expect(try await group(database, of: names, among: files).cancel() == ["conversation_costs"])
        }
    }

    @Test func `a shadow that is cancelled meanwhile does not stop the others`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 10, seed: 75))
            try await models.project()
            let before = (try await models.contents(), try await models.traces())
            let names = ["conversation_sessions", "conversation_turns", "latency_metrics"]
            try await stop(try group(database, of: names, batchSize: 20), after: 4)
            // The next run comes upon rows that somebody holds; when it may go on, they are gone.
            let other = try await PostgresConnection.connect(database)
            let mine = "projection_rebuilds where projection = 'conversation_turns'"
            try await other.run(unsafeSQL: "begin; select from \(mine) for update")
            let task = Task { try await group(database, of: names, batchSize: 20).run() }
            let waiting = """
                select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                    and query like '%with moved as%'
                """
            // On a connection of its own: a transaction sees others' activity as it was when it first looked.
            try await eventually("the run waits for the rows") { try await !run(waiting, database).isEmpty }
            try await other.run(
                unsafeSQL: "delete from \(mine); drop schema recorder_rebuild_conversation_turns_v1 cascade; commit"
            )
            await other.close()
            let results = try await task.value
            let error = #expect(throws: ProjectorError.self) { try results[1].outcome.get() }
            #expect(error?.code == .rebuildMoved && error?.projection?.name == "conversation_turns")
            for place in [0, 2] { #expect(try results[place].outcome.get().comparison?.differenceCount == 0) }
            #expect(try await models.contents() == before.0)
            #expect(try await models.traces() == before.1)
        }
    }

    @Test func `a model that differs stays, and the others are swapped`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 6, seed: 76))
            try await models.project()
            _ = try await run("update conversation_turns_v1 set status = 'failed'", database)
            let wrong = try await models.contents()
            let names = ["conversation_costs", "conversation_turns", "interruptions"]
            let results = try await group(database, of: names).run()
            let error = #expect(throws: ProjectorError.self) { try results[1].outcome.get() }
            #expect(error?.code == .modelsDiffer && error?.comparison?.differenceCount ?? 0 > 0)
            for place in [0, 2] { #expect(try results[place].outcome.get().comparison?.differenceCount == 0) }
            #expect(try await models.contents() == wrong)
            #expect(
                try await run("select distinct projection from projection_rebuilds", database) == [
                    ["conversation_turns"]
                ]
            )
        }
    }

    @Test func `shadows that stand at different places go on together, each event once`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 30, seed: 77)
            let first = events.count * 2 / 3
            try await models.append(Array(events[..<first]))
            try await models.project()
            // One is begun alone, then two together, then more has come, then all.
            try await stop(try group(database, of: ["conversation_turns"], batchSize: 50), after: 4)
            try await stop(try group(database, of: ["conversation_costs", "latency_metrics"], batchSize: 50), after: 8)
            try await models.append(Array(events[first...]))
            try await models.project()
            let before = try await models.contents()
            let places =
                "select count(distinct (old_snapshot::text, new_snapshot::text, position)) from projection_rebuilds"
            #expect(Int(try await run(places, database)[0][0] ?? "") ?? 0 > 1)
            try await stop(try group(database, batchSize: 50), after: 10)
            let read = try await run("select projection, sum(read) from projection_rebuilds group by 1", database)
            let readBefore = Dictionary(uniqueKeysWithValues: read.map { ($0[0] ?? "", Int($0[1] ?? "") ?? 0) })
            #expect(readBefore.count == ReadModels.views.count && readBefore.values.contains { $0 > 0 })

            for result in try await group(database, batchSize: 50).run() {
                let outcome = try result.outcome.get()
                #expect(outcome.isResumed)
                #expect(outcome.comparison?.differenceCount == 0)
                let projection = result.projection
                let handled = events.count { projection.handles($0.events[0].type) }
                #expect(outcome.events + (readBefore[projection.name] ?? 0) == handled, "\(projection.name)")
            }
            #expect(try await models.contents() == before)
        }
    }

    @Test func `readers never see a half-built model while all are rebuilt beside writers`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.whileUsed(ReadModels.simulated(sessions: 40, seed: 78)) {
                for _ in 0..<2 {
                    for result in try await group(database, batchSize: 50).run() {
                        #expect(try result.outcome.get().comparison?.differenceCount == 0)
                    }
                }
            }
        }
    }
}
