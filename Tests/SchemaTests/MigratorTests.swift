import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Schema

@Suite struct MigratorTests {
    /// Two small migrations.
    let files = SQLFiles(texts: [
        "migrations/0001_first.up.sql": "create table first (n int primary key);",
        "migrations/0001_first.down.sql": "drop table first;",
        "migrations/0002_second.up.sql": "create table second (n int references first); insert into first values (1)",
        "migrations/0002_second.down.sql": "drop table second; delete from first",
    ])

    func changed(_ path: String, _ text: String?) -> SQLFiles {
        var texts = files.texts
        texts[path] = text
        return SQLFiles(texts: texts)
    }

    @Test func `up applies what is pending, once, in order`() async throws {
        try await withTestConnection(.empty) { connection in
            let migrator = Migrator(files: files)
            let first = try await migrator.up(on: connection, to: 1)
            #expect(first.map(\.title) == ["0001_first"])
            let second = try await migrator.up(on: connection)
            #expect(second.map(\.title) == ["0002_second"])
            let third = try await migrator.up(on: connection)
            #expect(third.isEmpty)
            let states = try await migrator.status(on: connection)
            #expect(states.map(\.title) == ["0001_first", "0002_second"])
            for status in states {
                guard case .applied = status.state else { throw SchemaError(.failed, "\(status)") }
            }
            let back = try await migrator.down(on: connection, steps: 5)
            #expect(back.map(\.version) == [2, 1])
            let pending = try await migrator.status(on: connection)
            #expect(pending.map(\.state) == [.pending, .pending])
        }
    }

    @Test func `a migration that waits for readers does not have others wait behind it`() async throws {
        let files = changed("migrations/0002_second.up.sql", "alter table first add column m int")
        try await withTestDatabase(.empty) { database in
            try await withConnection(database) { _ = try await Migrator(files: files).up(on: $0, to: 1) }
            try await withReader(of: "recorder.first", in: database) {
                try await withConnection(database) { _ = try await Migrator(files: files).up(on: $0) }
            }
            let column = "select from pg_attribute where attrelid = 'recorder.first'::regclass and attname = 'm'"
            let added = try await withConnection(database) { try await $0.text(unsafeSQL: column) }
            #expect(added.count == 1)
        }
    }

    @Test func `a program tells a schema that is older from one that is newer`() async throws {
        try await withTestConnection(.empty) { connection in
            let migrator = Migrator(files: files)
            let none = await #expect(throws: SchemaError.self) { try await migrator.refuseOlderSchema(on: connection) }
            #expect(none?.message.hasPrefix("2 of this program's migrations are pending") == true)
            _ = try await migrator.up(on: connection, to: 1)
            let older = await #expect(throws: SchemaError.self) { try await migrator.refuseOlderSchema(on: connection) }
            #expect(older?.code == .outOfDate)
            _ = try await migrator.up(on: connection)
            #expect(try await migrator.refuseOlderSchema(on: connection).isEmpty)
            let former = Migrator(files: SQLFiles(texts: files.texts.filter { !$0.key.contains("second") }))
            #expect(try await former.refuseOlderSchema(on: connection) == ["0002_second"])
        }
    }

    @Test func `a migration that fails leaves nothing behind and tells the server's words`() async throws {
        let files = changed("migrations/0002_second.up.sql", "create table half (n int); select 1/0")
        try await withTestConnection(.empty) { connection in
            let error = await #expect(throws: SchemaError.self) { try await Migrator(files: files).up(on: connection) }
            #expect(error?.code == .failed)
            #expect(error?.message.contains("migrations/0002_second.up.sql failed") == true)
            #expect(error?.message.contains("division by zero") == true)
            let tables = try await connection.text(
                unsafeSQL: "select tablename from pg_tables where schemaname = 'recorder' order by 1"
            )
            #expect(tables == [["first"], ["schema_migrations"], ["schema_projections"]])
        }
    }

    @Test(arguments: ["create tabel half (n int)", "select nothing from first"])
    func `a migration that fails says in which line, if the server does`(wrong: String) async throws {
        // Neither bytes nor characters count, as the server counts, but scalars.
        let files = changed("migrations/0002_second.up.sql", "select 1;\n-- e\u{301} 😀\r\n\n\n\(wrong);\n\n\n\n\n\n")
        try await withTestConnection(.empty) { connection in
            let error = await #expect(throws: SchemaError.self) { try await Migrator(files: files).up(on: connection) }
            #expect(
                error?.message.hasPrefix("migrations/0002_second.up.sql:5 failed") == true,
                "\(error?.message ?? "")"
            )
        }
    }

    @Test func `a changed, a missing and an out-of-order file are errors that say which`() async throws {
        try await withTestConnection(.empty) { connection in
            _ = try await Migrator(files: files).up(on: connection)
            let cases: [(SQLFiles, SchemaError.Code, String)] = [
                (changed("migrations/0001_first.up.sql", "create table other ()"), .changedFile, "0001_first"),
                (
                    SQLFiles(texts: files.texts.filter { !$0.key.contains("second") }), .missingFile, "0002_second"
                ),
                (
                    SQLFiles(
                        texts: Dictionary(
                            uniqueKeysWithValues: files.texts.map {
                                ($0.key.replacingOccurrences(of: "first", with: "renamed"), $0.value)
                            }
                        )
                    ), .changedFile, "0001_first"
                ),
            ]
            for (files, code, title) in cases {
                let migrator = Migrator(files: files)
                let up = await #expect(throws: SchemaError.self) { try await migrator.up(on: connection) }
                #expect(up?.code == code)
                #expect(up?.message.contains(title) == true)
                let down = await #expect(throws: SchemaError.self) { try await migrator.down(on: connection) }
                #expect(down?.code == code)
                let found = try await migrator.verify(on: connection)
                #expect(found.map(\.code) == [code])
            }
            // 0003 is applied, then a 0002 turns up.
            try await connection.run(
                unsafeSQL: "update recorder.schema_migrations set version = 3, name = 'third' where version = 2"
            )
            let late = SQLFiles(
                texts: files.texts.merging([
                    "migrations/0003_third.up.sql": files.texts["migrations/0002_second.up.sql"] ?? "",
                    "migrations/0003_third.down.sql": "",
                ]) { $1 }
            )
            let error = await #expect(throws: SchemaError.self) { try await Migrator(files: late).up(on: connection) }
            #expect(error?.code == .outOfOrder)
            #expect(error?.message.contains("0002_second") == true)
            #expect(error?.message.contains("0003_third") == true)
        }
    }

    @Test(arguments: [
        ("migrations/2_short.up.sql", "2_short.up.sql"), ("migrations/0003_lonely.up.sql", "0003_lonely.down.sql"),
        ("migrations/0001_twin.up.sql", "0001_twin.down.sql"), ("migrations/readme.sql", "readme.sql"),
    ])
    func `files that break the rules are named`(path: String, expected: String) throws {
        let error = #expect(throws: SchemaError.self) { try Migration.all(in: changed(path, "select 1")) }
        #expect(error?.code == .invalidFile)
        #expect(error?.message.contains(expected) == true)
    }

    @Test func `two of the same number are refused`() throws {
        let files = SQLFiles(
            texts: files.texts.merging(["migrations/0001_twin.up.sql": "", "migrations/0001_twin.down.sql": ""]) { $1 }
        )
        let error = #expect(throws: SchemaError.self) { try Migration.all(in: files) }
        #expect(error?.message.contains("0001_first") == true)
        #expect(error?.message.contains("0001_twin") == true)
    }

    @Test func `several migrators at once apply each migration once`() async throws {
        try await withTestDatabase(.empty) { configuration in
            let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 1...8 {
                    group.addTask {
                        let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
                        let done = try await Migrator().up(on: connection).map(\.version)
                        await connection.close()
                        return done
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let all = try Migration.all(in: .embedded).map(\.version)
            #expect(applied.sorted() == all)
        }
    }

    @Test(arguments: [
        "create table half (n int); commit; select 1/0", "select 1;\nEND", "savepoint s", "/* */ Rollback",
        "create function f() returns int begin atomic select 1; end; end",
    ])
    func `statements of transactions are refused before anything is run`(script: String) async throws {
        let up = changed("migrations/0002_second.up.sql", script)
        let down = changed("migrations/0001_first.down.sql", script)
        try await withTestConnection(.empty) { connection in
            let error = await #expect(throws: SchemaError.self) { try await Migrator(files: up).up(on: connection) }
            #expect(error?.code == .invalidFile)
            #expect(error?.message.contains("migrations/0002_second.up.sql:") == true)
            let first = "select to_regclass('recorder.first') is null"
            #expect(try await connection.text(unsafeSQL: first) == [["t"]])
            _ = try await Migrator(files: down).up(on: connection)
            let back = await #expect(throws: SchemaError.self) {
                try await Migrator(files: down).down(on: connection, steps: 2)
            }
            #expect(back?.message.contains("migrations/0001_first.down.sql:") == true)
            let second = "select to_regclass('recorder.second') is null"
            #expect(try await connection.text(unsafeSQL: second) == [["f"]])
        }
    }

    @Test func `a function's body may begin and end`() async throws {
        let files = changed(
            "migrations/0001_first.up.sql",
            """
            create table first (n int primary key);
            create function one() returns int begin atomic select 1; select case when true then 1 end; end;
            do $$ begin perform 1; end $$
            """
        )
        try await withTestConnection(.empty) { connection in
            let done = try await Migrator(files: files).up(on: connection)
            #expect(done.count == 2)
        }
    }

    @Test func `each step is told of when it is committed, also before one that fails`() async throws {
        let files = changed("migrations/0002_second.up.sql", "select 1/0")
        try await withTestConnection(.empty) { connection in
            var told: [String] = []
            await #expect(throws: SchemaError.self) {
                try await Migrator(files: files).up(on: connection) { told.append($0.title) }
            }
            #expect(told == ["0001_first"])
        }
    }

    @Test func `a schema that is there needs no right to make one`() async throws {
        try await withTestDatabase(.empty) { configuration in
            try await withConnection(configuration) { administrator in
                let role = "migrator_\(UUID().uuidString.prefix(8).lowercased())"
                try await administrator.run(
                    unsafeSQL: "create role \(role) login; create schema recorder authorization \(role)"
                )
                var own = configuration
                own.url += " user=\(role)"
                try await withConnection(own) { connection in
                    let done = try await Migrator(files: files).up(on: connection)
                    #expect(done.count == 2)
                }
                try await administrator.run(unsafeSQL: "drop schema recorder cascade; drop role \(role)")
            }
        }
    }

    @Test func `what projections build on is not taken away, and nothing before it`() async throws {
        try await withTestConnection { connection in
            let error = await #expect(throws: SchemaError.self) {
                try await Migrator().down(on: connection, steps: 100)
            }
            #expect(error?.code == .inUse)
            #expect(error?.message.contains("0031_isolation") == true)
            #expect(error?.message.contains("conversation_turns v") == true)
            let states = try await Migrator().status(on: connection)
            for status in states { #expect(status.state != .pending, "\(status.title)") }
        }
    }

    @Test func `a new migration is numbered after the last and refuses a bad name`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-new-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path(percentEncoded: false)
        let first = try Migrator(files: SQLFiles(directory: path)).new(name: "one")
        #expect(first.map { URL(filePath: $0).lastPathComponent } == ["0001_one.up.sql", "0001_one.down.sql"])
        let second = try Migrator(files: SQLFiles(directory: path)).new(name: "two")
        #expect(second.map { URL(filePath: $0).lastPathComponent } == ["0002_two.up.sql", "0002_two.down.sql"])
        #expect(throws: SchemaError.self) { try Migrator(files: SQLFiles(directory: path)).new(name: "../x") }
        #expect(throws: SchemaError.self) { try Migrator(files: .embedded).new(name: "three") }
    }
}
