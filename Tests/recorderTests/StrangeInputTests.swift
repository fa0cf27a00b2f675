import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// Input and settings that are something else than was meant, and events that would disturb a terminal.
@Suite struct StrangeInputTests {
    private static func withFile(_ bytes: [UInt8], _ body: (_ path: String) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "strange-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(file.path(percentEncoded: false))
    }

    @Test(
        arguments: [
            ([0xEF, 0xBB, 0xBF, 0x7B, 0x7D], "byte-order mark"), ([0x1F, 0x8B, 0x08, 0x00], "gunzip"),
            ([0xFF, 0xFE, 0x7B, 0x00], "UTF-16"), ([0x7B, 0x00, 0x22, 0x00], "UTF-16"),
            ([0x28, 0xB5, 0x2F, 0xFD], "zstd"),
        ] as [([UInt8], String)]
    )
    func `input that is no UTF-8 is called what it is`(bytes: [UInt8], reason: String) async throws {
        try await withTestDatabase { database in
            try await Self.withFile(bytes) { path in
                let imported = try await RecorderCommand.run("import", path, databaseURL: database.url)
                #expect(imported.status == 1 && imported.errors.contains(reason), "\(imported.errors)")
                #expect(imported.errors.contains(path), "\(imported.errors)")
                let file = URL(filePath: path)
                let appended = try await RecorderCommand(["append"], databaseURL: database.url, input: file).result()
                #expect(appended.status == 1 && appended.errors.contains(reason), "\(appended.errors)")
            }
        }
    }

    @Test func `settings that are not there are called so`() async throws {
        let missing = try await RecorderCommand.run("sessions", "--config", "/nowhere.json")
        #expect(missing.status == 1 && missing.errors.contains("is not there"), "\(missing.errors)")
        let empty = try await RecorderCommand(
            ["sessions"],
            databaseURL: "",
            directory: FileManager.default.temporaryDirectory
        ).result()
        #expect(empty.status == 1 && empty.errors.contains("no database is given"), "\(empty.errors)")
        try await Self.withFile([]) { path in
            let noKey = try await RecorderCommand.run("sessions", "--key-file", path)
            #expect(noKey.status == 1 && noKey.errors.contains("holds no key"), "\(noKey.errors)")
        }
        let folder = FileManager.default.temporaryDirectory.path(percentEncoded: false)
        for words in [
            ["sessions", "--key-file", folder], ["prices", "load", folder, "--database-url", "host=/nowhere"],
        ] {
            let result = try await RecorderCommand(words).result()
            #expect(result.status == 1 && result.errors.contains("Is a directory"), "\(result.errors)")
            #expect(!result.errors.contains("NSCocoa"), "\(result.errors)")
        }
        let full = try await RecorderCommand.run("dictionary", "train", "--simulated", "100", "--output", "/dev/full")
        #expect(full.status == 1 && full.errors.contains("No space left on device"), "\(full.errors)")
    }

    @Test func `a type of event does not reach the terminal raw`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let line = Lines.event(stream: stream, type: #"a\u001b[31m\nb"#)
            let appended = try await RecorderCommand.run("append", databaseURL: database.url, input: line)
            #expect(appended.status == 0, "\(appended.errors)")
            for words in [
                ["events", "\(stream)"], ["replay", "\(stream)", "--speed", "0"],
                ["tail", "--from-beginning", "--until-idle"],
            ] {
                let shown = try await RecorderCommand(words, databaseURL: database.url).result()
                #expect(shown.status == 0, "\(shown.errors)")
                #expect(shown.lines.count == 1 && shown.output.contains("a [31m b"), "\(shown.output)")
            }
        }
    }

    @Test func `what a session's services say of themselves is no line of its own`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let forged = #"\u001b[2J\nerrors        999"#
            let lines = [
                Lines.event(stream: stream, type: "session.started", ("data", #"{"llmProvider":"\#(forged)"}"#)),
                Lines.event(
                    stream: stream,
                    type: "session.state_changed",
                    ("data", #"{"from":"idle","to":"\#(forged)"}"#)
                ),
            ]
            let input = lines.joined(separator: "\n")
            let appended = try await RecorderCommand.run("append", databaseURL: database.url, input: input)
            #expect(appended.status == 0, "\(appended.errors)")
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            for words in [
                ["session", "\(stream)"], ["replay", "\(stream)", "--speed", "0"],
                ["replay", "\(stream)", "--until", "2"],
            ] {
                let shown = try await RecorderCommand(words, databaseURL: database.url).result()
                #expect(shown.status == 0, "\(shown.errors)")
                #expect(shown.output.contains("[2J errors        999"), "\(shown.output)")
                #expect(!shown.output.contains("\u{1B}"), "\(shown.output)")
                #expect(!shown.lines.contains { $0.hasPrefix("errors        999") }, "\(shown.output)")
            }
        }
    }

    @Test func `as little as a cost may be, it is not shown as nothing`() async throws {
        try await withTestDatabase { database in
            let data = #"{"llmCost":"0.0000004","turnId":"019cad8f-ac00-7e4e-a7b6-000000000001"}"#
            let line = Lines.event(stream: Lines.stream(), type: "turn.generated", ("data", data))
            _ = try await RecorderCommand.run("append", databaseURL: database.url, input: line)
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            for words in [["sessions"], ["costs"], ["costs", "--by", "none"]] {
                let shown = try await RecorderCommand(words, databaseURL: database.url).result()
                #expect(shown.output.contains(" <$0.000001"), "\(shown.output)")
            }
            let sums = try await RecorderCommand(["costs", "--by", "none", "--json"], databaseURL: database.url)
                .result()
            #expect(try sums.json().map { $0["calls"]?.integer } == [1])
        }
    }

    @Test func `a cost that is not all known is marked`() async throws {
        try await withTestDatabase { database in
            let turn = #""turnId":"019cad8f-ac00-7e4e-a7b6-000000000001""#
            let (partial, whole) = (Lines.stream(), Lines.stream())
            let lines = [
                Lines.event(stream: whole, type: "turn.generated", ("data", #"{"llmCost":"0.25",\#(turn)}"#)),
                Lines.event(stream: partial, type: "turn.generated", ("data", #"{"llmCost":"0.5",\#(turn)}"#)),
                Lines.event(
                    stream: partial,
                    type: "turn.generated",
                    ("data", #"{"inputTokens":1,"outputTokens":1,"model":"m",\#(turn)}"#)
                ),
            ]
            _ = try await RecorderCommand.run(
                "append",
                databaseURL: database.url,
                input: lines.joined(separator: "\n")
            )
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            let listed = try await RecorderCommand.run("sessions", databaseURL: database.url)
            #expect(listed.output.contains("$0.5+"), "\(listed.output)")
            #expect(!listed.output.contains("$0.25+"), "\(listed.output)")
        }
    }
}
