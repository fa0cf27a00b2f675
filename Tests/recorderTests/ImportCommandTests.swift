import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder import`.
@Suite struct ImportCommandTests {
    /// Writes a file for `body`, and removes it behind it.
    private func withFile(_ text: String, _ body: (_ path: String) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "import-\(UUID().uuidString).jsonl")
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(file.path(percentEncoded: false))
    }

    @Test func `importing a file again stores nothing, also without ids`() async throws {
        try await withTestDatabase { database in
            let streams = (0..<20).map { _ in Lines.stream() }
            let withIDs = streams.flatMap { Lines.events(stream: $0, count: 40) }
            let withoutIDs = streams.map { Lines.event(stream: $0) }
            let input = (withIDs + withoutIDs + withoutIDs).shuffled().joined(separator: "\n") + "\n\n"
            try await withFile(input) { path in
                let first = try await RecorderCommand.run("import", path, "--json", databaseURL: database.url)
                #expect(first.status == 0, "\(first.errors)")
                #expect(try first.json().first?["stored"]?.integer == 840)
                #expect(first.errors.isEmpty)
                let second = try await RecorderCommand.run("import", path, "--json", databaseURL: database.url)
                #expect(second.status == 0, "\(second.errors)")
                #expect(try second.json().first?["stored"]?.integer == 0)
                #expect(try second.json().first?["storedBefore"]?.integer == 840)
            }
        }
    }

    @Test func `the same line from another file is another event`() async throws {
        try await withTestDatabase { database in
            let line = Lines.event(stream: Lines.stream())
            try await withFile(line) { one in
                try await withFile(line) { other in
                    let result = try await RecorderCommand.run(
                        "import",
                        one,
                        other,
                        "--json",
                        databaseURL: database.url
                    )
                    #expect(try result.json().first?["stored"]?.integer == 2)
                }
            }
        }
    }

    @Test func `standard input is never taken for one that was imported before, and that is said once`() async throws {
        try await withTestDatabase { database in
            let line = Lines.event(stream: Lines.stream())
            let input = [line, line].joined(separator: "\n")
            for _ in 0..<3 {
                let result = try await RecorderCommand.run(
                    "import",
                    "-",
                    "--json",
                    databaseURL: database.url,
                    input: input
                )
                #expect(try result.json().first?["stored"]?.integer == 2)
                #expect(result.errors.split(separator: "\n").count == 1)
                #expect(result.errors.contains("standard input:1: an event without an id gets a new one"))
            }
            let withIDs = Lines.events(stream: Lines.stream(), count: 2).joined(separator: "\n")
            let result = try await RecorderCommand.run("import", "-", databaseURL: database.url, input: withIDs)
            #expect(result.errors.isEmpty)
        }
    }

    @Test func `each stream keeps the order of its lines`() async throws {
        try await withTestDatabase { database in
            let streams = (0..<7).map { _ in Lines.stream() }
            let lines = streams.map { Lines.events(stream: $0, count: 600) }
            let input = (0..<600).flatMap { index in lines.map { $0[index] } }.joined(separator: "\n")
            let result = try await RecorderCommand.run("import", "-", databaseURL: database.url, input: input)
            #expect(result.status == 0, "\(result.errors)")
            let stored = try await RecorderCommand.run("events", "\(streams[3])", "--json", databaseURL: database.url)
            #expect(try stored.json().map { $0["data"]?["number"]?.integer } == (0..<600).map { $0 })
        }
    }

    @Test(arguments: BadLine.all)
    func `a bad line stops the import and names file, line, field and reason`(_ bad: BadLine) async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let file = FileManager.default.temporaryDirectory.appending(path: "bad-\(UUID().uuidString).jsonl")
            defer { try? FileManager.default.removeItem(at: file) }
            let good = Lines.events(stream: stream, count: 3)
            let path = file.path(percentEncoded: false)
            try (good[..<2] + [bad.line(stream: stream)] + good[2...]).joined(separator: "\n")
                .write(to: file, atomically: true, encoding: .utf8)
            let result = try await RecorderCommand.run("import", path, databaseURL: database.url)
            #expect(result.status == 1)
            #expect(result.errors.contains("\(path):3: \(bad.field.map { "\($0): " } ?? "")"), "\(result.errors)")
            #expect(result.errors.contains(bad.reason), "\(result.errors)")
            #expect(result.output.hasPrefix("2 events stored"), "what stands before it is stored, nothing else is")
        }
    }

    @Test func `a refused event is reported with its line, and the others are stored`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let input = [
                Lines.event(stream: stream, ("expectedVersion", "\"none\"")),
                Lines.event(stream: stream, ("expectedVersion", "\"none\""), ("data", "{}")),
                Lines.event(stream: stream),
            ].joined(separator: "\n")
            let result = try await RecorderCommand.run("import", "-", "--json", databaseURL: database.url, input: input)
            #expect(result.status == 1)
            #expect(result.errors.contains("standard input:2: "), "\(result.errors)")
            let counts = try #require(try result.json().first)
            #expect(counts["stored"]?.integer == 2)
            #expect(counts["refused"]?.integer == 1)
        }
    }

    @Test(.timeLimit(.minutes(5))) func `a pipe with a name is read, and its writer lives`() async throws {
        try await withTestDatabase { database in
            try await withPipe { pipe in
                let input = Lines.events(stream: Lines.stream(), count: 3).joined(separator: "\n")
                async let writer = ChildProgram.attempt("sh", ["-c", "exec cat > '\(pipe)'"], input: input)
                let result = try await RecorderCommand.run("import", pipe, "--json", databaseURL: database.url)
                #expect(result.status == 0, "\(result.errors)")
                #expect(try result.json().first?["stored"]?.integer == 3)
                #expect(try await writer.status == 0)
            }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [SIGINT, SIGTERM])
    func `a signal ends the reading, and the counts are printed`(signal: Int32) async throws {
        try await withTestDatabase { database in
            try await withPipe { pipe in
                // Open for both, so that the input has no end.
                let writer = try #require(FileHandle(forUpdatingAtPath: pipe))
                let lines = Lines.events(stream: Lines.stream(), count: 3).joined(separator: "\n") + "\n{\"unfinished"
                try writer.write(contentsOf: Data(lines.utf8))
                let run = try RecorderCommand(["import", "-"], databaseURL: database.url, input: URL(filePath: pipe))
                let connection = try await PostgresConnection.connect(database)
                while try await connection.text(unsafeSQL: "select count(*) from events") != [["3"]],
                    kill(run.id, 0) == 0
                {}
                await connection.close()
                run.send(signal)
                let result = await run.result()
                #expect(result.status == 1)
                #expect(result.output.hasPrefix("3 events stored"), "\(result.output)")
                #expect(result.errors.contains("stopped in standard input before its end"), "\(result.errors)")
                try writer.close()
            }
        }
    }

    @Test func `a login that may not append is told so once`() async throws {
        try await withTestDatabase { database in
            let role = "reader_\(UUID().uuidString.prefix(8).lowercased())"
            try await withConnection(database) { connection in
                try await connection.run(unsafeSQL: "create role \(role) login in role recorder_projector")
            }
            let input = Lines.events(stream: Lines.stream(), count: 40).joined(separator: "\n")
            let url = database.url + " user=\(role)"
            let result = try await RecorderCommand.run("import", "-", databaseURL: url, input: input)
            #expect(result.status == 1 && result.output.contains("0 refused"), "\(result)")
            #expect(result.errors.split(separator: "permission denied").count == 2, "\(result.errors)")
            try await withConnection(database) { try await $0.run(unsafeSQL: "drop role \(role)") }
        }
    }

    @Test func `a folder is no file`() async throws {
        let result = try await RecorderCommand.run("import", "/tmp", databaseURL: "host=/nowhere")
        #expect(result.status == 1)
        #expect(result.errors.contains("/tmp is a folder"), "\(result.errors)")
    }

    @Test func `a file that is not there is named`() async throws {
        let result = try await RecorderCommand.run("import", "/nowhere.jsonl", databaseURL: "host=/nowhere")
        #expect(result.status == 1)
        #expect(!result.errors.isEmpty)
    }
}
