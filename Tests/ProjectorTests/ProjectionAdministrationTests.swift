import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// What the program carries.
private let shipped = (try? ProjectionFiles.all(in: .embedded)) ?? []

@Suite struct ProjectionAdministrationTests {
    /// The shipped files with a second version of the turns.
    private static func files() throws -> [ProjectionFiles] {
        let second = secondVersionOfTurns().map { ("projections/conversation_turns/v2/\($0.key)", $0.value) }
        return try ProjectionFiles.all(in: SQLFiles(texts: SQLFiles.embedded.texts.merging(second) { $1 }))
    }

    /// A second version of the turns, by the files' names: other columns, of other types, in another order.
    static func secondVersionOfTurns() -> [String: String] {
        let names = ["table.sql", "apply.sql", "view.sql", "erase.sql"]
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                let text = SQLFiles.embedded.texts["projections/conversation_turns/v1/\(name)"] ?? ""
                let other = text.replacing("_turns_v1", with: "_turns_v2")
                    .replacing(
                        "    turn_index,\n    status,",
                        with: "    upper(status) as status,\n    turn_index::text as turn_index,"
                    )
                    .replacing("    error_type\nfrom", with: "    error_type,\n    2 as revision\nfrom")
                return (name, other)
            }
        )
    }

    private func run(_ sql: String, _ database: PostgresConfiguration) async throws -> [[String?]] {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.text(unsafeSQL: sql)
        await connection.close()
        return rows
    }

    @Test func `two versions stand side by side, are switched and switched back, and what depends on the views stays`()
        async throws
    {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let files = try Self.files()
            let versions = ProjectionAdministration(among: files, configuration: database)
            let events = ReadModels.simulated(sessions: 8, seed: 41)
            try await models.append(Array(events[..<300]))
            try await models.project()
            _ = try await run(
                """
                create view slow_turns as select session_id, turn_index, latency_ms from conversation_turns;
                create view slower_turns with (security_invoker = true) as select * from slow_turns where latency_ms > 100;
                grant select on conversation_turns, slow_turns to recorder_appender;
                """,
                database
            )
            let old = try await models.contents()["conversation_turns"]
            let slow = try await run("select count(*), max(latency_ms) from slower_turns", database)

            // A new version is meant to differ.
            do {
                try await RebuildGroup([("conversation_turns", nil)], among: files, configuration: database).runAlone()
                Issue.record("the versions were switched")
            } catch let error as ProjectorError {
                #expect(error.code == .modelsDiffer)
                #expect(error.comparison?.uncompared == ["conversation_turns.revision"])
                #expect(error.comparison?.differences.first?.columns.map(\.name) == ["status"])
            }
            #expect(try await models.contents()["conversation_turns"] == old)
            let outcome = try await RebuildGroup(
                [("conversation_turns", nil)],
                among: files,
                configuration: database,
                options: RebuildOptions(acceptDifferences: true)
            ).runAlone()
            #expect(outcome.comparison?.differenceCount == old?.count)
            let new = try await run(
                "select count(*), min(revision), min(pg_typeof(turn_index)::text) from conversation_turns",
                database
            )
            #expect(new == [[old.map { "\($0.count)" }, "2", "text"]])
            #expect(try await run("select count(*), max(latency_ms) from slower_turns", database) == slow)
            let grants =
                "select has_table_privilege('recorder_appender', 'conversation_turns', 'select'), has_table_privilege('recorder_appender', 'slow_turns', 'select')"
            #expect(try await run(grants, database) == [["t", "t"]])
            // Nobody sees more than before: the views read with the rights of
            // whoever asks, and the tables have policies.
            let options = try await run(
                """
                select relname, reloptions from pg_class where relname in ('conversation_turns', 'slow_turns', 'slower_turns')
                order by 1
                """,
                database
            )
            #expect(options.map { $0[1] } == ["{security_invoker=true}", nil, "{security_invoker=true}"])
            let policies = try await run(
                """
                select relname, relrowsecurity, count(polname) from pg_class left join pg_policy on polrelid = pg_class.oid
                where relname ~ '^conversation_turns_v.$' group by 1, 2 order by 1
                """,
                database
            )
            #expect(policies == [["conversation_turns_v1", "t", "2"], ["conversation_turns_v2", "t", "2"]])

            // Both are projected.
            try await models.append(Array(events[300...]))
            let both = files.filter { $0.name == "conversation_turns" }
            #expect(both.count == 2)
            _ = try await Projector(database, projections: both).runUntilCaughtUp()
            let tables = try await run(
                """
                select count(*) from (table conversation_turns_v1 except table conversation_turns_v2) as lost
                union all select count(*) from conversation_turns_v1 union all select count(*) from conversation_turns_v2
                """,
                database
            )
            #expect(tables[0] == ["0"])
            #expect(tables[1] == tables[2])

            await #expect(throws: SchemaError.self) { try await versions.drop("conversation_turns", version: 2) }
            try await versions.activate("conversation_turns", version: 1)
            let back = try await run("select min(pg_typeof(turn_index)::text) from conversation_turns", database)
            #expect(back == [["integer"]])
            #expect(try await run(grants, database) == [["t", "t"]])
            try await versions.activate("conversation_turns", version: 2)
            #expect(try await run("select min(revision) from conversation_turns", database) == [["2"]])
            try await versions.activate("conversation_turns", version: 1)
            try await versions.drop("conversation_turns", version: 2)
            let left = try await run(
                """
                select count(*) from pg_class where relname like 'conversation_turns_v2%'
                union all select count(*) from projection_checkpoints where version = 2
                union all select count(*) from schema_projections where version = 2
                """,
                database
            )
            #expect(left == [["0"], ["0"], ["0"]])
            await #expect(throws: SchemaError.self) { try await versions.activate("conversation_turns", version: 2) }
            #expect(try await run("select count(*) > 0 from slower_turns", database) == [["t"]])

            // The last version goes with its views only, and not while a view of others reads them.
            for withViews in [false, true] {
                await #expect(throws: SchemaError.self) {
                    try await versions.drop("conversation_turns", version: 1, withViews: withViews)
                }
            }
            _ = try await run("drop view slower_turns, slow_turns cascade", database)
            try await versions.drop("conversation_turns", version: 1, withViews: true)
            let end = try await run(
                """
                select count(*) from pg_class where relname like 'conversation_turns%'
                union all select count(*) from schema_projections where name = 'conversation_turns'
                """,
                database
            )
            #expect(end == [["0"], ["0"]])
        }
    }

    @Test func `functions and grants of the latency model survive its rebuild`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 8, seed: 42))
            try await models.project(workers: 2)
            let query =
                "select latency_percentile('llm', 0.95, '-infinity', 'infinity'), latency_percentile('turn', 0.5, '-infinity', 'infinity')"
            let partitions = """
                select tableoid::regclass, count(*), sum(count) from latency_metrics_minutes_v1 group by 1 order by 1
                """
            let connection = try await PostgresConnection.connect(database)
            let before = try await connection.text(unsafeSQL: query)
            let spread = try await connection.text(
                unsafeSQL: "select distinct tableoid::regclass from latency_metrics_minutes_v1 order by 1"
            )
            let all = try await connection.text(unsafeSQL: "select count(*) from pg_inherits")
            try await RebuildGroup([("latency_metrics", nil)], among: shipped, configuration: database).runAlone()
            // The same session, whose plans were made for the old tables.
            #expect(try await connection.text(unsafeSQL: query) == before)
            #expect(
                try await connection.text(
                    unsafeSQL: "select distinct tableoid::regclass from latency_metrics_minutes_v1 order by 1"
                ) == spread
            )
            #expect(try await connection.text(unsafeSQL: "select count(*) from pg_inherits") == all)
            #expect(try await connection.text(unsafeSQL: partitions).isEmpty == false)
            let granted = "select has_table_privilege('recorder_analyst', 'latency_metrics_parts', 'select')"
            #expect(try await connection.text(unsafeSQL: granted) == [["t"]])
            await connection.close()
        }
    }

    @Test func `who drops a version does not have readers wait`() async throws {
        try await withTestDatabase { database in
            let versions = ProjectionAdministration(among: shipped, configuration: database)
            try await withReader(of: "interruptions", in: database) {
                try await versions.drop("interruptions", version: 1, withViews: true)
            }
            #expect(try await run("select 1 from pg_class where relname like 'interruptions%'", database).isEmpty)
        }
    }

    @Test func `who changes a view does not have readers wait`() async throws {
        var texts = SQLFiles.embedded.texts
        texts["projections/interruptions/v1/view.sql", default: ""] += "\n-- in other words\n"
        let changed = try ProjectionFiles.all(in: SQLFiles(texts: texts)).filter { $0.name == "interruptions" }
        try await withTestDatabase { database in
            let text = "select view_checksum from schema_projections where name = 'interruptions'"
            let before = try await run(text, database)
            try await withReader(of: "interruptions", in: database) {
                try await withConnection(database) { _ = try await ProjectionInstaller().install(changed, on: $0) }
            }
            #expect(try await run(text, database) != before)
        }
    }

    @Test func `a version that is not built to the head is not activated`() async throws {
        try await withTestDatabase { database in
            let files = try Self.files()
            let connection = try await PostgresConnection.connect(database)
            for projection in files where projection.version == 2 {
                try await ProjectionInstaller().install(projection, on: connection)
                try await connection.execute(Checkpoint.Create(projections: [projection], shards: 4))
            }
            await connection.close()
            do {
                try await ProjectionAdministration(among: files, configuration: database).activate(
                    "conversation_turns",
                    version: 2
                )
                Issue.record("it was activated")
            } catch let error as ProjectorError {
                #expect(error.code == .notBuilt)
            }
        }
    }
}
