import Cache
import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder keys`, `subject` and `retention`, as an operator meets them.
@Suite struct PrivacyCommandTests {
    /// Runs commands on a sealed log; `run` adds the database and the key file.
    private static func withSealedLog(
        _ body: (_ url: String, _ run: ([String], String?) async throws -> RecorderCommand.Result, _ folder: URL)
            async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-privacy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withTestDatabase { database in
            let file = folder.appending(path: "keys")
            let key = try await RecorderCommand.run("keys", "new")
            #expect(key.status == 0)
            try Data(key.output.utf8).write(to: file)
            func run(_ arguments: [String], _ input: String?) async throws -> RecorderCommand.Result {
                let url = folder.appending(path: "input")
                try Data((input ?? "").utf8).write(to: url)
                return try await RecorderCommand(
                    arguments + ["--key-file", file.path(percentEncoded: false)],
                    databaseURL: database.url,
                    input: url
                ).result()
            }
            let made = try await run(["keys", "init"], nil)
            #expect(made.status == 0 && made.output.contains("are sealed from now on"), "\(made.errors)")
            try await body(database.url, run, folder)
        }
    }

    private static func line(_ stream: StreamID, _ user: StreamID) -> String {
        Lines.event(stream: stream, type: "session.started", ("data", #"{"userId":"\#(user)"}"#)) + "\n"
            + Lines.event(stream: stream, type: "turn.transcribed", ("data", #"{"userTranscript":"a secret word"}"#))
            + "\n"
    }

    @Test func `a projector that runs reads its key file again after a rotation`() async throws {
        try await Self.withSealedLog { url, run, folder in
            let file = folder.appending(path: "keys")
            let daemon = try RecorderCommand(
                ["project", "--key-file", file.path(percentEncoded: false)],
                databaseURL: url
            )
            func projects(_ stream: StreamID) async throws {
                #expect(try await run(["append"], Self.line(stream, Lines.stream())).status == 0)
                try await eventually("\(stream) is projected", within: .seconds(120)) {
                    try await run(["session", "\(stream)", "--json"], nil).status == 0 || kill(daemon.id, 0) != 0
                }
            }
            try await projects(Lines.stream())
            let key = try await RecorderCommand.run("keys", "new")
            try Data((key.output + String(contentsOf: file, encoding: .utf8)).utf8).write(to: file)
            let rotated = try await run(["keys", "rotate"], nil)
            #expect(rotated.status == 0, "\(rotated.errors)")
            try await projects(Lines.stream())
            daemon.send(SIGTERM)
            let ended = await daemon.result()
            #expect(ended.status == 0, "\(ended.errors)")
        }
    }

    @Test func `what is appended with the key is read with it, and without it the command says what is missing`()
        async throws
    {
        try await Self.withSealedLog { url, run, _ in
            let (stream, user) = (Lines.stream(), Lines.stream())
            #expect(try await run(["append"], Self.line(stream, user)).status == 0)
            let events = try await run(["events", "\(stream)"], nil)
            #expect(events.output.contains("a secret word"))
            for arguments in [["events", "\(stream)"], ["project", "--until-caught-up"]] {
                let without = try await RecorderCommand(arguments, databaseURL: url).result()
                #expect(without.status == 1)
                #expect(without.errors.contains("RECORDER_KEY_FILE"), "\(without.errors)")
                #expect(!without.output.contains("secret"))
            }
            let refused = try await RecorderCommand.run(
                "append",
                databaseURL: url,
                input: Self.line(Lines.stream(), user)
            )
            #expect(refused.status == 1)
            #expect(refused.errors.contains("RECORDER_KEY_FILE"), "\(refused.errors)")
            // Not one event of a file, so that none comes too late for its stream.
            let file = try await RecorderCommand.run(
                "import",
                "-",
                databaseURL: url,
                input: Lines.event(stream: Lines.stream(), type: "turn.started") + "\n"
            )
            #expect(file.status == 1)
            #expect(file.errors.contains("RECORDER_KEY_FILE") && file.output.isEmpty, "\(file.errors)")
            let status = try await run(["keys", "status", "--json"], nil).json()
            #expect(status.count == 1 && status[0]["keys"]?.integer == 1 && status[0]["given"]?.bool == true)
            #expect(try await RecorderCommand.run("keys", "status", databaseURL: url).status == 1)
        }
    }

    @Test func `a person is exported, held, released and erased`() async throws {
        try await Self.withSealedLog { _, run, folder in
            let (stream, user) = (Lines.stream(), Lines.stream())
            #expect(try await run(["append"], Self.line(stream, user)).status == 0)
            #expect(try await run(["project", "--until-caught-up"], nil).status == 0)
            let out = folder.appending(path: "export").path(percentEncoded: false)
            let export = try await run(["subject", "export", "\(user)", "--to", out, "--json"], nil)
            #expect(export.status == 0, "\(export.errors)")
            #expect(FileManager.default.fileExists(atPath: "\(out)/events.jsonl"))

            let unasked = try await run(["subject", "erase", "\(user)"], nil)
            #expect(unasked.status == 1 && unasked.errors.contains("--yes"))
            #expect(try await run(["retention", "hold", "\(user)", "--reason", "a case"], nil).status == 0)
            let session = try await run(["retention", "hold", "\(stream)", "--reason", "a case"], nil)
            #expect(session.status == 1 && session.errors.contains("name the user"), "\(session.errors)")
            let holds = try await run(["retention", "holds", "--json"], nil).json()
            #expect(holds.map { $0["user"]?.string } == [user.description])
            let held = try await run(["subject", "erase", "\(user)", "--yes"], nil)
            #expect(held.status == 1 && held.errors.contains("legal hold"), "\(held.errors)")
            #expect(try await run(["retention", "release", "\(user)"], nil).status == 0)

            let erased = try await run(["subject", "erase", "\(user)", "--yes", "--scrub"], nil)
            #expect(erased.status == 0, "\(erased.errors)")
            #expect(!erased.errors.contains("has no keys"), "\(erased.errors)")
            #expect(try erased.json()[0]["sealedEvents"]?.integer == 1)
            #expect(try erased.json()[0]["logIsSealed"]?.bool == true)
            let replay = try await run(["replay", "\(stream)", "--speed", "0", "--json"], nil).json()
            #expect(replay.last?["text"]?.string == "erased")
            #expect(try await run(["retention", "run", "--dry-run"], nil).status == 0)
            let set = try await run(["retention", "set", "audit_logs", "--keep-for", "soon"], nil)
            #expect(set.status == 2 && set.errors.contains("30 days"), "\(set.errors)")
        }
    }

    @Test func `policies are listed and changed without the place of the objects`() async throws {
        try await withTestDatabase { database in
            let file = FileManager.default.temporaryDirectory.appending(path: "recorder-\(UUID().uuidString).json")
            try Data(#"{"recorder": {"objects": "s3://recordings"}}"#.utf8).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            func run(_ arguments: String...) async throws -> RecorderCommand.Result {
                try await RecorderCommand.run(
                    ["retention"] + arguments + ["--config", file.path(percentEncoded: false), "--json"],
                    databaseURL: database.url
                )
            }
            // This one needs it, and says what is missing.
            let dry = try await run("run", "--dry-run")
            #expect(dry.status == 1 && dry.errors.contains("--s3-endpoint"), "\(dry.errors)")
            let set = try await run("set", "audit_logs", "--keep-for", "7 years")
            #expect(set.status == 0, "\(set.errors)")
            let policies = try await run("policies")
            #expect(policies.status == 0, "\(policies.errors)")
            let kept = try policies.json().first { $0["policy"]?.string == "audit_logs" }?["keepFor"]?.string
            #expect(kept == "7 years")
        }
    }

    @Test func `who erases in a log without keys is told what becomes of later words`() async throws {
        try await withTestDatabase { database in
            let user = Lines.stream()
            try await withConnection(database) { connection in
                try await connection.run(unsafeSQL: "select append_event('\(user)', 'user.logged_in', '{}')")
            }
            let erased = try await RecorderCommand.run(
                "subject",
                "erase",
                "\(user)",
                "--yes",
                databaseURL: database.url
            )
            #expect(erased.status == 0)
            #expect(erased.errors.contains("this log has no keys"), "\(erased.errors)")
            #expect(try erased.json()[0]["logIsSealed"]?.bool == false)
        }
    }

    @Test(.timeLimit(.minutes(10))) func `objects in a bucket are exported, and erased`() async throws {
        guard let address = try await ObjectServer.shared.address(.direct) else {
            try Test.cancel("moto cannot be installed: PyPI is not reached from here")
        }
        try await Self.withSealedLog { _, run, folder in
            let (stream, user) = (Lines.stream(), Lines.stream())
            #expect(try await run(["append"], Self.line(stream, user)).status == 0)
            #expect(try await run(["project", "--until-caught-up"], nil).status == 0)
            let store = try S3ObjectStore(
                S3Configuration(
                    endpoint: address,
                    bucket: "recordings",
                    region: "auto",
                    accessKeyID: "test",
                    secretAccessKey: "test"
                )
            )
            let name = try ObjectName("users/\(user)/voice.bin")
            try await store.put(name, bytes: [1, 2, 3])

            let out = folder.appending(path: "export").path(percentEncoded: false)
            let export = ["subject", "export", "\(user)", "--to", out, "--objects", "s3://recordings"]
            let nowhere = try await run(export, nil)
            #expect(nowhere.status == 1 && nowhere.errors.contains("--s3-endpoint"), "\(nowhere.errors)")
            let nobody = try await run(export + ["--s3-endpoint", address], nil)
            #expect(nobody.status == 1 && nobody.errors.contains("AWS_ACCESS_KEY_ID"), "\(nobody.errors)")

            let config = folder.appending(path: "config.json")
            let credentials = #"{"aws": {"accessKeyId": "test", "secretAccessKey": "test"}}"#
            try Data(credentials.utf8).write(to: config)
            let rest = ["--s3-endpoint", address, "--config", config.path(percentEncoded: false)]
            let exported = try await run(export + rest, nil)
            #expect(exported.status == 0, "\(exported.errors)")
            let copy = FileManager.default.contents(atPath: "\(out)/objects/voice.bin")
            #expect(copy == Data([1, 2, 3]))

            let erase = ["subject", "erase", "\(user)", "--yes", "--objects", "s3://recordings"]
            let erased = try await run(erase + rest, nil)
            #expect(erased.status == 0, "\(erased.errors)")
            #expect(try erased.json()[0]["done"]?["objects"]?.integer == 1)
            #expect(try await store.info(name) == nil)
        }
    }

    @Test func `a key file that holds no key is refused without showing what it holds`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "recorder-keys-\(UUID().uuidString)")
        try Data("hunter2\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try await RecorderCommand.run("keys", "status", "--key-file", file.path(percentEncoded: false))
        #expect(result.status == 1)
        #expect(result.errors.contains("line 1") && !result.errors.contains("hunter2"), "\(result.errors)")
    }
}
