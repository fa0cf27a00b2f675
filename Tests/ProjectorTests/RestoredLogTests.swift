import EventModel
import EventStore
import Foundation
import Operations
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// Logs that real `pg_dump` and `pg_restore` carry from one cluster to another.
@Suite struct RestoredLogTests {
    /// A cluster that records; the projector stops half-way, in a window, and some projections are behind the others.
    private func record(_ events: [Append], on database: PostgresConfiguration) async throws {
        try await install(on: database)
        let models = ReadModels(database: database)
        let third = events.count / 3
        try await models.append(Array(events[..<third]))
        try await models.project()
        try await models.append(Array(events[third..<(2 * third)]))
        // A writer that is still at work while some look: its event comes late.
        let writer = try await PostgresConnection.connect(database, logger: TestServer.logger)
        try await writer.run(
            unsafeSQL: "begin; select append_event('019cad8f-ac00-7e4e-a7b6-815d4e98868f', 'session.started', '{}')"
        )
        // One round of 100 events leaves a window open; two projections go on alone, to the head of that time.
        let projections = try ProjectionFiles.newest(in: .embedded)
        let halfway = Task {
            let projector = Projector(database, projections: projections, options: ProjectorOptions(batchSize: 100))
            try await projector.runUntilCaughtUp { _ in unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() } }
        }
        await #expect(throws: CancellationError.self) { try await halfway.value }
        let ahead = projections.filter { ["conversation_costs", "audit_logs"].contains($0.name) }
        try await Projector(database, projections: ahead).runUntilCaughtUp()
        try await writer.run(unsafeSQL: "commit")
        await writer.close()
        let stands = try await withConnection(database) { connection in
            try await connection.text(
                unsafeSQL: """
                    select count(distinct old_snapshot::text),
                        count(distinct projection) filter (where new_snapshot is not null),
                        count(distinct projection) filter (
                            where cardinality(array(select pg_snapshot_xip(coalesce(new_snapshot, old_snapshot)))) > 0
                        )
                    from projection_checkpoints
                    """
            )
        }
        #expect(stands == [["2", "\(projections.count - ahead.count)", "\(projections.count)"]])
        try await models.append(Array(events[(2 * third)...]))
    }

    private func install(on database: PostgresConfiguration) async throws {
        try await withConnection(database) { connection in
            _ = try await Migrator().up(on: connection)
            for projection in try ProjectionFiles.newest(in: .embedded) {
                try await ProjectionInstaller().install(projection, on: connection)
            }
        }
    }

    private func database(_ server: EmbeddedServer) -> PostgresConfiguration {
        PostgresConfiguration(url: server.url(), schema: "recorder", applicationName: "recorder test")
    }

    /// Dumps one server's database and restores it into another, as an operator would: the roles first.
    private func restore(_ source: EmbeddedServer, into target: EmbeddedServer) async throws {
        let file = "/tmp/recorder-dump-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await withConnection(database(target)) { connection in
            try await connection.run(
                unsafeSQL: """
                    create role recorder_owner; create role recorder_appender; create role recorder_projector;
                    create role recorder_analyst; create role recorder_service;
                    grant recorder_projector to recorder_owner
                    """
            )
        }
        try await ServerTool.run(
            "pg_dump",
            "--format=custom",
            "--schema=recorder",
            "--file=\(file)",
            "--dbname=\(source.url())"
        )
        try await ServerTool.run("pg_restore", "--exit-on-error", "--dbname=\(target.url())", file)
        let differences = try await withConnection(database(target)) { try await Migrator().verify(on: $0) }
        #expect(differences.isEmpty, "\(differences)")
    }

    /// Uses up transaction ids, so that a cluster is older than another.
    private func age(_ database: PostgresConfiguration, by transactions: Int) async throws {
        try await withConnection(database) { connection in
            try await connection.run(
                unsafeSQL: """
                    create procedure public.age(n int) language plpgsql as
                    $$ begin for i in 1..n loop perform pg_current_xact_id(); commit; end loop; end $$;
                    """
            )
            try await connection.run(unsafeSQL: "call public.age(\(transactions))")
            try await connection.run(unsafeSQL: "drop procedure public.age")
        }
    }

    /// Compares the read models of a restored log with those of the original, and with what a rebuild makes.
    private func compare(_ restored: ReadModels, _ original: ReadModels) async throws {
        let (live, expected) = (try await restored.contents(), try await original.contents())
        try await restored.forget()
        try await restored.project()
        let rebuilt = try await restored.contents()
        for view in ReadModels.views {
            #expect(live[view]?.isEmpty == false)
            #expect(live[view] == rebuilt[view], "\(view) differs from its rebuild")
            // The log shows positions, which depend on how appends were grouped.
            if view != "audit_logs" { #expect(live[view] == expected[view], "\(view) differs from the original") }
        }
        #expect(live["audit_logs"]?.count == expected["audit_logs"]?.count)
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch let error as ProjectorError {
            return error.code.rawValue
        } catch let error as EventStoreError {
            return error.code.rawValue
        } catch {
            return "\(error)"
        }
    }

    @Test func `a dump restored into a younger cluster is refused, repaired, and projected on without loss or double`()
        async throws
    {
        let events = ReadModels.simulated(sessions: 9, seed: 31)
        let later = ReadModels.simulated(sessions: 3, seed: 32)
        try await withTestServer { source in
            try await age(database(source), by: 5_000)
            try await record(events, on: database(source))
            try await withTestServer { target in
                try await restore(source, into: target)
                let restored = ReadModels(database: database(target))

                // Nobody reads or writes it before it is repaired.
                let evidence = try await withConnection(restored.database) { try await RestoredLog.evidence(on: $0) }
                #expect(Set(evidence.map(\.code)) == ["system", "transaction", "checkpoint"])
                #expect(await code { try await restored.project() } == "restoredLog")
                #expect(await code { try await restored.append(Array(later.prefix(1))) } == "refused")
                #expect(await code { _ = try await read(1, from: restored.database) } == "restoredLog")
                #expect(await code { try await page(of: restored.database) } == "restoredLog")

                let outcome = try #require(
                    try await withConnection(restored.database) { try await RestoredLogRepair().run(on: $0) }
                )
                #expect(outcome.action == "rewritten" && outcome.events == Int64(events.count + 1))
                #expect(outcome.positions?.upperBound == Int64(events.count + 1))
                #expect(Set(outcome.evidence) == ["system", "transaction", "checkpoint"])
                #expect(
                    try await withConnection(restored.database) { try await RestoredLogRepair().run(on: $0) } == nil
                )
                let trace = try await withConnection(restored.database) { connection in
                    try await connection.text(unsafeSQL: "select repaired_by, events, last_position from log_repairs")
                }
                #expect(trace == [["recorder", "\(events.count + 1)", "\(events.count + 1)"]])
                await #expect(throws: PostgresError.self, "the trace stays") {
                    try await withConnection(restored.database) {
                        try await $0.run(unsafeSQL: "delete from log_repairs")
                    }
                }
                await #expect(throws: PostgresError.self, "events are as unchangeable as before") {
                    try await withConnection(restored.database) {
                        try await $0.run(unsafeSQL: "update events set version = 9")
                    }
                }

                // Both go on from where the dump was taken, and end the same.
                let original = ReadModels(database: database(source))
                for models in [original, restored] {
                    try await models.append(later)
                    try await models.project(batchSize: 70)
                }
                try await compare(restored, original)
                let total = events.count + 1 + later.count
                #expect(try await read(total, from: restored.database) == total)
            }
        }
    }

    @Test func `a dump restored into an older cluster is refused, and only its home is noted`() async throws {
        let events = ReadModels.simulated(sessions: 4, seed: 33)
        try await withTestServer { source in
            try await record(events, on: database(source))
            try await withTestServer { target in
                try await age(database(target), by: 20_000)
                try await restore(source, into: target)
                let restored = ReadModels(database: database(target))
                #expect(await code { try await restored.project() } == "restoredLog")
                let outcome = try await withConnection(restored.database) { try await RestoredLogRepair().run(on: $0) }
                #expect(outcome?.action == "adopted" && outcome?.events == 0)
                for models in [ReadModels(database: database(source)), restored] {
                    try await models.append(ReadModels.simulated(sessions: 2, seed: 34))
                    try await models.project()
                }
                try await compare(restored, ReadModels(database: database(source)))
            }
        }
    }

    @Test func `a log that took events away from home wants to know which`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 4, seed: 35)
            let half = events.count / 2
            try await models.append(Array(events[..<half]))
            try await models.project(batchSize: 50)
            // As after a restore by hand: ids and checkpoints of a cluster far ahead, and this one noted as the home.
            try await withConnection(database) { connection in
                try await connection.run(
                    unsafeSQL: """
                        alter table events disable trigger refuse_change;
                        update events set transaction_id = (transaction_id::text::bigint + 1000000)::text::xid8;
                        alter table events enable always trigger refuse_change;
                        update projection_checkpoints set old_snapshot = '2000000:2000000:', new_snapshot = null;
                        """
                )
            }
            let session = "select set_config('recorder.log_home', 'events'::regclass::oid::text, false);"
            try await withConnection(database) { connection in
                try await connection.run(
                    unsafeSQL: session + "select append_event('\(events[half].stream)', 'turn.started', '{}')"
                )
            }
            let refusal = await code {
                try await withConnection(database) { _ = try await RestoredLogRepair().run(on: $0) }
            }
            #expect(refusal?.contains("RC004") == true, "\(refusal ?? "repaired")")
            let outcome = try await withConnection(database) { connection in
                try await RestoredLogRepair(restoredThrough: Int64(half)).run(on: connection)
            }
            #expect(outcome?.events == Int64(half + 1))
            let before = try await models.contents()
            #expect(try await models.project() == 1)
            #expect(try await models.contents() != before)
        }
    }

    @Test func `a sequence that was left behind is put right`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 1, seed: 36)
            try await models.append(events)
            try await withConnection(database) { try await $0.run(unsafeSQL: "select setval('events_position', 3)") }
            #expect(await code { try await models.project() } == "restoredLog")
            let outcome = try await withConnection(database) { try await RestoredLogRepair().run(on: $0) }
            #expect(outcome?.evidence == ["sequence"] && outcome?.action == "adopted")
            try await models.append(ReadModels.simulated(sessions: 1, seed: 37))
            #expect(try await models.project() > events.count)
        }
    }

    /// Reads a page of the log.
    private func page(of database: PostgresConfiguration) async throws {
        _ = try await PostgresEventStore.with(database) { try await $0.readLog() }
    }

    /// Reads so many events by subscription, and says how many different ones came, each stream in order.
    private func read(_ count: Int, from database: PostgresConfiguration) async throws -> Int {
        try await PostgresEventStore.with(database) { store in
            var seen: [StreamID: Int] = [:]
            var total = 0
            for try await batch in store.subscribe(batchSize: 50) {
                for event in batch.events {
                    #expect(event.version == seen[event.stream, default: 0] + 1)
                    seen[event.stream] = event.version
                }
                total += batch.events.count
                if total >= count { break }
            }
            return total
        }
    }
}
