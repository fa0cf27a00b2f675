import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder append`.
@Suite struct AppendCommandTests {
    @Test func `each line is acknowledged in order with stream, version and position`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let input = Lines.events(stream: stream, count: 25).joined(separator: "\n")
            let result = try await RecorderCommand.run("append", "--json", databaseURL: database.url, input: input)
            #expect(result.status == 0, "\(result.errors)")
            let acknowledged = try result.json()
            #expect(acknowledged.map { $0["version"]?.integer } == (1...25).map { $0 })
            #expect(acknowledged.allSatisfy { $0["stream"]?.string == stream.description })
            #expect(acknowledged.allSatisfy { $0["position"]?.integer != nil && $0["storedBefore"]?.bool == false })
        }
    }

    @Test func `a repeated event is acknowledged with what it got the first time`() async throws {
        try await withTestDatabase { database in
            let input = Lines.events(stream: Lines.stream(), count: 3).joined(separator: "\n") + "\n"
            let first = try await RecorderCommand.run("append", "--json", databaseURL: database.url, input: input)
            let second = try await RecorderCommand.run("append", "--json", databaseURL: database.url, input: input)
            #expect(second.status == 0, "\(second.errors)")
            #expect(try first.json().map { $0["position"] } == second.json().map { $0["position"] })
            #expect(try second.json().map { $0["storedBefore"]?.bool } == [true, true, true])
        }
    }

    @Test func `an event that may be stored is named, also if it came without an id`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            try await withConnection(database) { other in
                let event = #"{"stream":"\#(stream)","type":"turn.started"}"#
                try await other.run(unsafeSQL: "begin; select append_events('[\(event)]')")
                let result = try await RecorderCommand.run("append", databaseURL: database.url, input: event + "\n")
                try await other.run(unsafeSQL: "rollback")
                #expect(result.status == 1)
                let id = result.errors.firstMatch(of: #/the event's id is ([0-9a-f-]{36})/#)?.1
                #expect(id.flatMap { EventID(String($0)) } != nil, "\(result.errors)")
            }
        }
    }

    @Test func `a wrong expected version is reported, and the others go on`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let input = [
                Lines.event(stream: stream), Lines.event(stream: stream, ("expectedVersion", "7")),
                Lines.event(stream: stream, ("expectedVersion", "1")),
            ].joined(separator: "\n")
            let result = try await RecorderCommand.run("append", "--json", databaseURL: database.url, input: input)
            #expect(result.status == 1)
            #expect(result.errors.contains("standard input:2: "))
            let lines = try result.json()
            try #require(lines.count == 3)
            #expect(lines[1]["error"]?["code"]?.string == "wrongExpectedVersion")
            #expect(lines[1]["error"]?["version"]?.integer == 1)
            #expect(lines[2]["version"]?.integer == 2)
        }
    }

    @Test(arguments: BadLine.all)
    func `a bad line is refused with line, field and reason, and nothing of it is stored`(_ bad: BadLine) async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let input = [Lines.event(stream: stream), bad.line(stream: stream), Lines.event(stream: stream)]
                .joined(separator: "\n")
            let result = try await RecorderCommand.run("append", databaseURL: database.url, input: input)
            #expect(result.status == 1)
            #expect(
                result.errors.contains("standard input:2: \(bad.field.map { "\($0): " } ?? "")"),
                "\(result.errors)"
            )
            #expect(result.errors.contains(bad.reason), "\(result.errors)")
            #expect(result.lines.count == 1, "the line before it is acknowledged, the one behind it is not stored")
            let stored = try await RecorderCommand.run("events", "\(stream)", "--json", databaseURL: database.url)
            #expect(stored.lines.count == 1)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [SIGINT, SIGTERM])
    func `a signal ends the reading, and what was read is acknowledged`(signal: Int32) async throws {
        try await withTestDatabase { database in
            try await withPipe { pipe in
                // Open for both, so that the input has no end.
                let writer = try #require(FileHandle(forUpdatingAtPath: pipe))
                let lines = Lines.events(stream: Lines.stream(), count: 3).joined(separator: "\n") + "\n"
                let connection = try await PostgresConnection.connect(database)
                // The group waits in the server, for as long as it takes: an appender
                // gives others' locks a tenth of a second.
                try await connection.run(
                    unsafeSQL: """
                        create function hold() returns trigger language plpgsql set lock_timeout = 0 as $$
                        begin perform pg_advisory_xact_lock_shared(4711); return null; end $$;
                        create trigger hold before insert on events for each statement execute function hold();
                        select pg_advisory_lock(4711)
                        """
                )
                let run = try RecorderCommand(["append"], databaseURL: database.url, input: URL(filePath: pipe))
                try writer.write(contentsOf: Data(lines.utf8))
                let waiting = """
                    select pg_stat_clear_snapshot(), count(*) from pg_stat_activity
                    where wait_event_type = 'Lock' and datname = current_database()
                    """
                while try await connection.text(unsafeSQL: waiting).first?[1] == "0", kill(run.id, 0) == 0 {}
                // Cut off here, the process would never learn that they are stored.
                run.send(signal)
                try await connection.run(unsafeSQL: "select pg_advisory_unlock(4711)")
                let result = await run.result()
                #expect(result.status == 1)
                #expect(result.lines.count == 3, "\(result.output)")
                #expect(result.errors.contains("stopped before the end of the input"), "\(result.errors)")
                let stored = try await connection.text(unsafeSQL: "select count(*) from events")
                #expect(stored == [["3"]])
                await connection.close()
                try writer.close()
            }
        }
    }

    @Test func `invalid UTF-8 is refused`() async throws {
        try await withTestDatabase { database in
            let file = FileManager.default.temporaryDirectory.appending(path: "bad-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: file) }
            let parts = Lines.event(stream: Lines.stream(), ("data", #"{"text": "X"}"#)).split(separator: "X")
            try (Data(parts[0].utf8) + [0xC3, 0x28] + Data(parts[1].utf8)).write(to: file)
            for arguments in [["append"], ["import", file.path(percentEncoded: false)]] {
                let result = try await RecorderCommand(arguments, databaseURL: database.url, input: file).result()
                #expect(result.status == 1)
                #expect(result.errors.contains(":1: data: "), "\(result.errors)")
                #expect(result.errors.contains("UTF-8"), "\(result.errors)")
            }
            let log = try await RecorderCommand.run(
                "tail",
                "--from-beginning",
                "--until-idle",
                databaseURL: database.url
            )
            #expect(log.lines.isEmpty)
        }
    }
}
