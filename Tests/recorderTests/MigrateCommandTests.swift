import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder migrate`, `dictionary` and `prices`.
@Suite struct MigrateCommandTests {
    @Test func `migrations go up, are verified and go down`() async throws {
        try await withTestDatabase(.empty) { database in
            func run(_ arguments: String...) async throws -> RecorderCommand.Result {
                try await RecorderCommand(["migrate"] + arguments + ["--json"], databaseURL: database.url).result()
            }
            for _ in 0..<2 {
                let nothing = try await run("verify")
                #expect(nothing.status == 1 && nothing.errors.contains("not applied yet"), "\(nothing.errors)")
            }
            #expect(try await run("up", "--to", "2").lines.count == 2)
            let begun = try await run("verify")
            #expect(begun.status == 1 && begun.errors.contains("migrate up"), "\(begun.errors)")
            let rest = try await run("up")
            #expect(rest.status == 0, "\(rest.errors)")
            let states = try await run("status").json().map { $0["state"]?.string }
            #expect(states.count == rest.lines.count + 2)
            #expect(states.allSatisfy { $0 == "applied" })
            let verified = try await run("verify")
            #expect(verified.status == 0, "\(verified.errors)")
            #expect(try await run("up").lines.isEmpty)
            #expect(try await run("down", "--steps", "1").lines.count == 1)
            let connection = try await PostgresConnection.connect(database)
            try await connection.run(unsafeSQL: "alter table model_prices add column note text")
            await connection.close()
            let drifted = try await run("verify")
            #expect(drifted.status == 1)
            #expect(drifted.output.contains("model_prices"))
        }
    }

    /// A folder with one migration, for `body`.
    private func withMigration(up: String, down: String, _ body: (_ path: String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "migrations-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in [("up", up), ("down", down)] {
            let file = folder.appending(path: "0001_only.\(name).sql")
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        try await body(folder.path(percentEncoded: false))
    }

    @Test func `options of the environment and of a service file hold, as for psql`() async throws {
        let options = "-c statement_timeout=4321"
        try await withTestDatabase(.empty) { database in
            let told = "do $$ begin raise exception 'timeout is %', current_setting('statement_timeout'); end $$"
            try await withMigration(up: told, down: "") { path in
                let service = "\(path)/service.conf"
                let entries = ["[own]"] + database.url.split(separator: " ").map(String.init) + ["options=\(options)"]
                try entries.joined(separator: "\n").write(toFile: service, atomically: true, encoding: .utf8)
                for (url, variables) in [
                    (database.url, ["PGOPTIONS": options]), ("service=own", ["PGSERVICEFILE": service]),
                    ("application_name=own", ["PGSERVICEFILE": service, "PGSERVICE": "own"]),
                    ("\(database.url) options='\(options)'", ["PGOPTIONS": "-c statement_timeout=1234"]),
                ] {
                    let up = ["migrate", "up", "--migrations", path]
                    let result = try await RecorderCommand(up, databaseURL: url, variables: variables).result()
                    #expect(result.errors.contains("timeout is 4321ms"), "\(result.errors)")
                }
            }
        }
    }

    /// The server would go on with the script, and with its locks, for as long as that takes.
    @Test(.timeLimit(.minutes(5)), arguments: [SIGINT, SIGTERM])
    func `a signal stops a migration at the server, too`(signal: Int32) async throws {
        try await withTestDatabase(.empty) { database in
            let connection = try await PostgresConnection.connect(database)
            let sessions =
                "select count(*) from pg_stat_activity where query like 'select pg_sleep(600)%' and state = 'active' and datname = current_database()"
            func sleeping() async throws -> Bool { try await connection.text(unsafeSQL: sessions) == [["1"]] }
            try await withMigration(up: "select pg_sleep(600)", down: "") { path in
                let up = try RecorderCommand(["migrate", "up", "--migrations", path], databaseURL: database.url)
                while try await !sleeping(), kill(up.id, 0) == 0 {}
                up.send(signal)
                let result = await up.result()
                #expect(result.status == 1)
                #expect(result.errors.contains("stopped before it was done"), "\(result.errors)")
                #expect(try await !sleeping())
            }
            await connection.close()
        }
    }

    @Test func `new migrations are numbered after the last`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "migrations-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path(percentEncoded: false)
        let first = try await RecorderCommand.run("migrate", "new", "first_thing", "--migrations", path)
        let second = try await RecorderCommand.run("migrate", "new", "second", "--migrations", path)
        #expect(first.status == 0, "\(first.errors)")
        #expect(second.lines.map { $0.split(separator: "/").last } == ["0002_second.up.sql", "0002_second.down.sql"])
        let bad = try await RecorderCommand.run("migrate", "new", "Not Good", "--migrations", path)
        #expect(bad.status == 2)
    }

    @Test func `the shipped dictionary is what the command prints`() async throws {
        let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shipped = try String(
            contentsOf: project.appending(path: "migrations/0044_second_dictionary.up.sql"),
            encoding: .utf8
        )
        let printed = try await RecorderCommand.run(
            "dictionary",
            "train",
            "--simulated",
            "100",
            "--as-migration",
            "--output",
            "-"
        )
        #expect(printed.status == 0, "\(printed.errors)")
        #expect(printed.output == shipped)
    }

    @Test func `a dictionary trained from the log is used by the next appends`() async throws {
        try await withTestDatabase { database in
            let made = try await RecorderCommand.run("simulate", "--sessions", "12")
            _ = try await RecorderCommand.run("import", "-", databaseURL: database.url, input: made.output)
            let train = ["dictionary", "train", "--from-log", "1000"]
            let trained = try await RecorderCommand.run(train + ["--json"], databaseURL: database.url)
            #expect(trained.status == 0, "\(trained.errors)")
            let id = try #require(try trained.json().first?["id"]?.integer)
            let again = try await RecorderCommand.run(train, databaseURL: database.url)
            #expect(again.output.contains("the same as dictionary \(id)"), "\(again.output)\(again.errors)")
            let more = try await RecorderCommand.run("simulate", "--sessions", "2", "--seed", "9")
            _ = try await RecorderCommand.run("import", "-", databaseURL: database.url, input: more.output)
            let listed = try await RecorderCommand.run("dictionary", "list", "--json", databaseURL: database.url).json()
            #expect(listed.last?["id"]?.integer == id)
            #expect(listed.last?["inUse"]?.bool == true)
        }
    }
}
