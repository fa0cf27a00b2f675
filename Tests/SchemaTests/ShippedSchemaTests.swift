import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Schema

/// The migrations and projections of the repository, against the real server.
@Suite struct ShippedSchemaTests {
    @Test func `the program carries what the repository has`() throws {
        let root = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let onDisk = try SQLFiles(directory: root.path(percentEncoded: false))
        #expect(SQLFiles.embedded.texts == onDisk.texts)
        #expect(SQLFiles.embedded.texts.count > 20)
    }

    @Test func `up, down to each step, and up again gives the same schema`() async throws {
        try await withTestConnection(.empty) { connection in
            let migrator = Migrator()
            let all = try await migrator.up(on: connection)
            let first = try await description(connection)
            #expect(first.objects["table events"] != nil)
            for steps in 1...all.count {
                let back = try await migrator.down(on: connection, steps: steps)
                #expect(back.count == steps)
                _ = try await migrator.up(on: connection)
                let again = try await description(connection)
                #expect(first.differences(in: again) == [])
            }
        }
    }

    @Test func `each step down gives the schema that those before it make`() async throws {
        try await withTestConnection(.empty) { connection in
            let migrator = Migrator()
            let all = try Migration.all(in: .embedded)
            var made: [SchemaDescription] = []
            for migration in all {
                _ = try await migrator.up(on: connection, to: migration.version)
                made.append(try await description(connection))
            }
            for (before, migration) in zip(made.dropLast(), all.dropFirst()).reversed() {
                #expect(try await migrator.down(on: connection, steps: 1) == [migration])
                let differences = before.differences(in: try await description(connection))
                #expect(differences == [], "\(migration.title)")
            }
        }
    }

    @Test func `down leaves nothing but what belongs to Schema`() async throws {
        try await withTestConnection(.empty) { connection in
            let migrator = Migrator()
            let all = try await migrator.up(on: connection)
            _ = try await migrator.down(on: connection, steps: all.count)
            let left = try await description(connection)
            #expect(
                Set(left.objects.keys).subtracting(["the schema"]) == [
                    "table schema_migrations", "table schema_projections",
                ]
            )
        }
    }

    @Test func `another schema's name is used throughout`() async throws {
        try await withTestDatabase(.empty) { configuration in
            let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
            _ = try await Migrator(schema: "Other Place").up(on: connection)
            let problems = try await Migrator(schema: "Other Place").verify(on: connection)
            #expect(problems.map(\.message) == [])
            let schemas = try await connection.text(
                unsafeSQL:
                    "select nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')"
            )
            #expect(schemas == [["Other Place"]])
            await connection.close()
        }
    }

    @Test func `what was just made is verified`() async throws {
        try await withTestConnection { connection in
            let problems = try await Migrator().verify(on: connection)
            #expect(problems.map(\.message) == [])
        }
    }

    @Test(arguments: [
        ("alter table events add column extra int", "events"),
        ("drop index events_position_idx", "events_position_idx"),
        ("alter table events disable trigger refuse_change", "refuse_change"),
        ("drop trigger refuse_truncate on events_default", "events_default"),
        ("alter table events_default disable trigger refuse_change", "events_default"),
        ("grant update on events to recorder_analyst", "UPDATE for recorder_analyst"),
        ("create table stranger (n int)", "stranger"),
        ("drop function llm_cost", "llm_cost"),
        ("alter sequence events_position cache 50", "cache 50"),
        ("alter table model_prices drop constraint model_prices_pkey", "model_prices"),
        ("alter table model_prices owner to recorder_analyst", "model_prices"),
        ("create or replace view conversation_sessions as select 1 as n", "conversation_sessions"),
    ])
    func `drift is found and named`(change: String, named: String) async throws {
        try await withTestConnection { connection in
            do {
                try await connection.run(unsafeSQL: change)
            } catch let error as PostgresError where change.contains("replace view") {
                // Columns cannot be taken from a view.
                #expect(error.sqlState == "42P16")
                try await connection.run(
                    unsafeSQL: "drop view conversation_sessions; create view conversation_sessions as select 1 as n"
                )
            }
            let problems = try await Migrator().verify(on: connection)
            #expect(!problems.isEmpty)
            #expect(problems.allSatisfy { $0.code == .drift })
            #expect(problems.contains { $0.message.contains(named) })
        }
    }

    @Test func `partitions made later are no drift, unless they lack a guard`() async throws {
        try await withTestConnection { connection in
            try await connection.run(unsafeSQL: "select create_events_partitions('2031-01-01', '2031-02-01')")
            let problems = try await Migrator().verify(on: connection)
            #expect(problems.map(\.message) == [])
            try await connection.run(unsafeSQL: "drop trigger refuse_truncate on events_2031_01")
            let found = try await Migrator().verify(on: connection)
            #expect(found.count == 1)
            #expect(found.first?.message.contains("events_2031_01") == true)
        }
    }

    @Test(arguments: [
        nil, "recorder_owner", "recorder_appender", "recorder_projector", "recorder_analyst", "recorder_service",
    ])
    func `no role can change, delete or truncate events, in no partition`(role: String?) async throws {
        try await withTestConnection { connection in
            let partitions = try await connection.text(
                unsafeSQL: "select inhrelid::regclass from pg_inherits where inhparent = 'events'::regclass order by 1"
            ).compactMap { $0.first ?? nil }
            #expect(partitions.count >= 6)
            // An event in each: an update of no rows would be let through.
            try await connection.run(
                unsafeSQL: """
                    select append_event(gen_random_uuid(), 'note.taken', '{}');
                    select append_event(uuid_v7_floor(to_date(right(name, 7), 'YYYY_MM') + interval '1 day'), 'note.taken', '{}')
                    from (select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass) as partition(name)
                    where name <> 'events_default'
                    """
            )
            let counts = try await connection.text(unsafeSQL: "select count(*) from events group by tableoid")
            #expect(counts == partitions.map { _ in ["1"] })
            if let role { try await connection.run(unsafeSQL: "set role \(role)") }
            for table in ["events"] + partitions {
                for statement in [
                    "update \(table) set version = version + 1", "delete from \(table)", "truncate \(table)",
                ] {
                    let error = await #expect(throws: PostgresError.self, "\(statement) as \(role ?? "superuser")") {
                        try await connection.run(unsafeSQL: statement)
                    }
                    #expect(error?.code == .server)
                }
            }
            try await connection.run(unsafeSQL: "reset role")
            let after = try await connection.text(unsafeSQL: "select count(*) from events group by tableoid")
            #expect(after == counts)
        }
    }

    @Test func `no function's body holds a backslash, which a session may read as it likes`() async throws {
        try await withTestConnection { connection in
            let found = try await connection.text(
                unsafeSQL: """
                    select oid::regprocedure from pg_proc
                    where pronamespace = 'recorder'::regnamespace and prosqlbody is null and strpos(prosrc, chr(92)) > 0
                    """
            )
            #expect(found == [])
        }
    }

    /// Of the schema `recorder`.
    private func description(_ connection: PostgresConnection) async throws -> SchemaDescription {
        try await connection.transaction { connection in
            try await SchemaDescription.of("recorder", names: ["recorder"], on: connection)
        }
    }

    @Test func `a month is partitioned around the few streams that lie in the default partition`() async throws {
        try await withTestConnection { connection in
            func append(_ streams: String) async throws {
                try await connection.run(
                    unsafeSQL: "select append_event(stream, 'note.taken', '{}') from (\(streams)) as s(stream)"
                )
            }
            // One at the month's first moment, one in its middle, and far too many in the next month.
            try await append(
                """
                select uuid_v7_floor('2031-01-01 00:00+00') union all select uuid_v7_floor('2031-01-15 12:00+00')
                union all select uuid_v7_floor(timestamptz '2031-02-01 00:00+00' + n * interval '1 hour') from generate_series(1, 9) n
                """
            )
            let made = try await connection.text(
                unsafeSQL: "select create_events_partitions('2031-01-01', '2031-02-01')"
            )
            #expect(made == [["events_2031_01"], ["events_2031_01_2"]])
            let again = try await connection.text(
                unsafeSQL: "select create_events_partitions('2031-01-01', '2031-02-01')"
            )
            #expect(again.isEmpty)
            try await append(
                """
                select uuid_v7_floor('2031-01-01 00:00:01+00') union all select uuid_v7_floor('2031-01-31 23:59:59+00')
                union all select uuid_v7_floor('2031-01-15 12:00+00')
                """
            )
            let places = try await connection.text(
                unsafeSQL: """
                    select tableoid::regclass, count(*) from events where stream_id < uuid_v7_floor('2031-02-01 00:00+00')
                    group by 1 order by min(tableoid::regclass::text collate "C")
                    """
            )
            #expect(places == [["events_2031_01", "1"], ["events_2031_01_2", "1"], ["events_default", "3"]])
            #expect(try await Migrator().verify(on: connection).map(\.message) == [])
        }
    }

    @Test func `a month's parts need one look at the default partition, whatever lies in it`() async throws {
        try await withTestConnection { connection in
            try await connection.run(
                unsafeSQL: """
                    begin; set local enable_seqscan = off;
                    select append_event(uuid_v7_floor(day), 'note.taken', '{}')
                    from generate_series(timestamptz '2031-01-02 00:00+00', '2031-01-08 00:00+00', '1 day') day;
                    """
            )
            let made = try await connection.text(
                unsafeSQL: "select create_events_partitions('2031-01-01', '2031-01-01')"
            )
            #expect(made.count == 8)
            let looks = try await connection.text(
                unsafeSQL: "select pg_stat_get_xact_numscans('events_default'::regclass)"
            )
            #expect(looks == [["1"]])
            try await connection.run(unsafeSQL: "commit")
            #expect(try await Migrator().verify(on: connection).map(\.message) == [])
        }
    }

    @Test func `a partition is not waited for while somebody reads the log, and nobody waits behind it`() async throws {
        try await withTestDatabase { configuration in
            try await withConnection(configuration) { reader in
                try await reader.run(unsafeSQL: "begin isolation level repeatable read; select from events")
                try await withConnection(configuration) { connection in
                    let error = await #expect(throws: PostgresError.self) {
                        try await connection.run(
                            unsafeSQL: "select create_events_partitions('2031-01-01', '2031-01-01')"
                        )
                    }
                    #expect(error?.isLockTimeout == true)
                    try await connection.run(unsafeSQL: "select append_event(gen_random_uuid(), 'note.taken', '{}')")
                    try await reader.run(unsafeSQL: "commit")
                    try await connection.run(unsafeSQL: "select create_events_partitions('2031-01-01', '2031-01-01')")
                }
            }
        }
    }
}
