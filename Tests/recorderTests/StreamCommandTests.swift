import EventModel
import Postgres
import RecorderTesting
import Testing

/// `recorder events` and `recorder tail`.
@Suite struct StreamCommandTests {
    @Test func `a stream is read from a version, bounded, and backwards`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let input = Lines.events(stream: stream, count: 30).joined(separator: "\n")
            _ = try await RecorderCommand.run("append", databaseURL: database.url, input: input)
            func versions(_ arguments: String...) async throws -> [Int?] {
                try await RecorderCommand(["events", "\(stream)", "--json"] + arguments, databaseURL: database.url)
                    .result().json().map { $0["version"]?.integer }
            }
            #expect(try await versions() == (1...30).map { $0 })
            #expect(try await versions("--from", "29") == [29, 30])
            #expect(try await versions("--limit", "2") == [1, 2])
            #expect(try await versions("--backwards", "--limit", "2") == [30, 29])
            #expect(try await versions("--backwards", "--from", "2") == [2, 1])
        }
    }

    @Test func `a stream without events is an error`() async throws {
        try await withTestDatabase { database in
            let result = try await RecorderCommand.run("events", "\(Lines.stream())", databaseURL: database.url)
            #expect(result.status == 1)
            #expect(result.errors.contains("holds no event"))
        }
    }

    @Test func `the log is followed from a cursor without a gap or a double`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let lines = Lines.events(stream: stream, count: 20)
            var cursor: String?
            var versions: [Int?] = []
            for part in [lines[..<5], lines[5..<6], lines[6...]] {
                _ = try await RecorderCommand.run(
                    "append",
                    databaseURL: database.url,
                    input: part.joined(separator: "\n")
                )
                let start = cursor.map { ["--cursor", $0] } ?? ["--from-beginning"]
                let result = try await RecorderCommand(
                    ["tail", "--until-idle", "--json"] + start,
                    databaseURL: database.url
                ).result()
                #expect(result.status == 0, "\(result.errors)")
                versions += try result.json().map { $0["version"]?.integer }
                cursor = result.errors.split(separator: "'").dropFirst().first.map(String.init)
            }
            #expect(versions == (1...20).map { $0 })
        }
    }

    @Test func `a cursor whose last event the log lacks is refused, as after a restore to an earlier state`()
        async throws
    {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let input = Lines.events(stream: stream, count: 3).joined(separator: "\n")
            _ = try await RecorderCommand.run("append", databaseURL: database.url, input: input)
            func tail(_ start: String...) async throws -> RecorderCommand.Result {
                try await RecorderCommand.run(["tail", "--until-idle", "--json"] + start, databaseURL: database.url)
            }
            let first = try await tail("--from-beginning")
            let cursor = try #require(first.errors.split(separator: "'").dropFirst().first.map(String.init))
            let again = try await tail("--cursor", cursor)
            #expect(again.status == 0 && again.lines.isEmpty, "\(again.errors)")
            // What nothing was printed behind keeps what it was printed behind before.
            #expect(again.errors.contains(cursor.split(separator: "=")[1]))
            for other in [
                cursor.replacing("/3/", with: "/2/"),
                "\(cursor.prefix { $0 != "=" })=\(stream)/4/\(EventID.generate(at: .now()))",
            ] {
                let refused = try await tail("--cursor", other)
                #expect(refused.status == 1 && refused.errors.contains("is not in this log"), "\(refused.errors)")
            }
        }
    }

    @Test(arguments: ["99999999999:99999999999:", "1:1:/99999999999:99999999999:@4"])
    func `a cursor of another cluster is refused`(cursor: String) async throws {
        try await withTestDatabase { database in
            let result = try await RecorderCommand.run(
                "tail",
                "--until-idle",
                "--cursor",
                cursor,
                databaseURL: database.url
            )
            #expect(result.status == 1)
            #expect(
                result.errors.contains("has seen transactions that this database has not begun"),
                "\(result.errors)"
            )
        }
    }

    @Test func `following that fails says where it can go on`() async throws {
        try await withTestDatabase { database in
            let input = Lines.events(stream: Lines.stream(), count: 1)[0]
            _ = try await RecorderCommand.run("append", databaseURL: database.url, input: input)
            try await withConnection(database) { connection in
                try await connection.run(
                    unsafeSQL: """
                        insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload)
                        select occurred_at, version + 1, type, encoding, stream_id, gen_random_uuid(), '\\xff' from events
                        """
                )
            }
            let tail = ["tail", "--from-beginning", "--until-idle"]
            let failed = try await RecorderCommand.run(tail, databaseURL: database.url)
            #expect(failed.status == 1 && failed.errors.contains("go on with --cursor '"), "\(failed.errors)")
        }
    }

    @Test func `following ends cleanly on SIGTERM`() async throws {
        try await withTestDatabase { database in
            let tail = try RecorderCommand(["tail", "--from-beginning", "--json"], databaseURL: database.url)
            defer { tail.send(9) }
            let input = Lines.events(stream: Lines.stream(), count: 4).joined(separator: "\n")
            _ = try await RecorderCommand.run("append", databaseURL: database.url, input: input)
            try await eventually("all events are printed") { tail.outputSoFar.split(separator: "\n").count >= 4 }
            tail.send(15)
            let result = await tail.result()
            #expect(result.status == 0)
            #expect(result.errors.contains("--cursor"))
        }
    }

    @Test func `work that a signal cuts short is not done`() async throws {
        try await withTestDatabase { database in
            let made = try await RecorderCommand.run("simulate", "--sessions", "1")
            _ = try await RecorderCommand.run("import", "-", databaseURL: database.url, input: made.output)
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            let sessions = try await RecorderCommand.run("sessions", "--json", databaseURL: database.url).json()
            let id = try #require(sessions.first?["id"]?.string)
            let replay = try RecorderCommand(["replay", id, "--speed", "0.01"], databaseURL: database.url)
            defer { replay.send(9) }
            try await eventually("the first frame is printed") { !replay.outputSoFar.isEmpty }
            replay.send(2)
            let result = await replay.result()
            #expect(result.status == 1)
            #expect(result.errors.contains("stopped before it was done"))
        }
    }
}
