import Foundation
import Postgres
import RecorderTesting
import Testing

/// What the program does before it meets a database.
@Suite struct UsageTests {
    @Test(arguments: [
        ["dev", "--database-url", "host=/x"], ["demo", "--key-file", "x"],
        ["dictionary", "train", "--from-log", "9", "--as-migration", "--output", "-"],
        ["--nonsense"], ["append", "--nonsense"], ["import"], ["events", "no-uuid"], ["replay"], ["nonsense"],
        ["tail", "--from-beginning", "--cursor", "1:1:"], ["migrate", "down", "--steps", "0"],
        ["costs", "--by", "day,nonsense"], ["latency", "--percentiles", "101"], ["latency", "--series", "1h"],
        ["dictionary", "train"], ["demo", "--producers", "0"], ["sessions", "--log-level", "loud"],
        ["subject", "erase", "ada"], ["subject", "export", "019cad8f-ac00-7e4e-a7b6-815d4e98868f"],
        ["retention", "set"],
        ["retention", "hold", "ada"], ["projections", "retry", "--stream", "ada"], ["cache", "clear", "--user", "ada"],
        ["limits", "list", "--user", "ada"], ["limits", "reset"], ["bench", "nothing"], ["project", "--workers", "0"],
        ["costs", "--from", "2026-03-02T12:00:00Z"], ["costs", "--until", "2026-03-02T00:00:00+01:00"],
        ["costs", "--from", "2026-03-03", "--until", "2026-03-02"],
        ["latency", "--from", "2026-03-03", "--until", "2026-03-02"],
        ["audit", "--from", "2026-03-03", "--until", "2026-03-02"],
        ["sessions", "--from", "2026-03-03", "--until", "2026-03-02"],
        ["sessions", "--from", "2026-03-02", "--until", "2026-03-02"],
        ["costs", "--from", "2026-03-02", "--until", "2026-03-02"],
        ["latency", "--from", "2026-03-02T08:00:30Z", "--until", "2026-03-02T08:00:50Z"],
        ["costs", "--by", "none,day"], ["costs", "--by", ""], ["projections", "new", "conversation_turns"],
        ["projections", "new", "Bad Name"], ["migrate", "new", "Bad Name"], ["dev", "--directory", ""],
        ["retention", "hold", "\(Lines.stream())", "--reason", "a case", "--actor", ""],
        ["project", "--metrics-file", "recorder.txt"],
    ])
    func `wrong usage ends with status 2 and says how to use it`(_ arguments: [String]) async throws {
        let result = try await RecorderCommand(arguments).result()
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("Usage: recorder"))
    }

    @Test(arguments: [
        ["sessions", "--limit"], ["sessions", "--min-cost"], ["events", "\(Lines.stream())", "--from"],
        ["events", "\(Lines.stream())", "--limit"], ["replay", "\(Lines.stream())", "--speed"],
        ["replay", "\(Lines.stream())", "--until"], ["simulate", "--sessions"], ["simulate", "--seed"],
        ["project", "--workers"], ["project", "--shards"], ["project", "--batch-size"], ["latency", "--percentiles"],
        ["latency", "--stage", "llm", "--series"], ["bench", "--events"], ["demo", "--sessions"], ["demo", "--speed"],
        ["demo", "--producers"], ["dictionary", "train", "--simulated"], ["retention", "run", "--batch-size"],
        ["projections", "activate", "a", "--version"], ["projections", "drop", "a", "--version"],
        ["projections", "rebuild", "a", "--version"], ["projections", "rebuild", "--all", "--parallelism"],
        ["projections", "check", "a", "--sessions"], ["projections", "verify", "--sample"],
        ["projections", "verify", "--limit"], ["limits", "list", "--limit"], ["audit", "--limit"],
        ["migrate", "up", "--to"], ["migrate", "down", "--steps"], ["projections", "status", "--max-behind"],
    ])
    func `a negative number is refused as one, not as a missing value`(_ arguments: [String]) async throws {
        let result = try await RecorderCommand(arguments + ["-3"], databaseURL: "host=/nowhere").result()
        #expect(result.status == 2)
        #expect(
            result.errors.contains(" or more") || result.errors.contains(" is 0") || result.errors.contains(" 1 to ")
                || result.errors.contains("at least 1") || result.errors.contains("'-3' is invalid"),
            "\(result.errors)"
        )
        #expect(!result.errors.contains("Missing value"), "\(result.errors)")
    }

    @Test(arguments: ["sessions", "costs", "latency", "audit list"], ["--until", "--to"])
    func `every range of time takes both names of its end`(command: String, flag: String) async throws {
        let range = ["--from", "2026-03-02", flag, "2026-03-03"]
        let arguments = command.split(separator: " ").map(String.init) + range
        let result = try await RecorderCommand(arguments, databaseURL: "host=/nowhere").result()
        #expect(result.status == 1)
        #expect(result.errors.contains("/nowhere"), "\(result.errors)")
        let empty = try await RecorderCommand(arguments.dropLast() + ["2026-03-02"]).result()
        #expect(empty.status == 2)
        #expect(empty.errors.contains("which is not part of the range"), "\(empty.errors)")
    }

    /// A command as the program describes itself.
    private struct Command: Decodable {
        let commandName: String
        let discussion: String?
        let subcommands: [Command]?

        /// It and all below it, each with its whole name; `help` is the library's.
        func all(below parents: [String] = []) -> [(name: String, command: Command)] {
            let name = parents + [commandName]
            return [(name.joined(separator: " "), self)]
                + (subcommands ?? []).filter { $0.commandName != "help" }.flatMap { $0.all(below: name) }
        }
    }

    private struct Program: Decodable {
        let command: Command
    }

    /// All there are, so that one which is added cannot be forgotten here.
    @Test func `every command has help with examples`() async throws {
        let described = try await RecorderCommand.run("--experimental-dump-help")
        let commands = try JSONDecoder().decode(Program.self, from: Data(described.output.utf8)).command.all()
        #expect(commands.count > 50)
        for (name, command) in commands {
            let examples = command.discussion?.components(separatedBy: "EXAMPLES").dropFirst().joined() ?? ""
            #expect(examples.contains(name), "\(name)")
        }
    }

    @Test(arguments: ["projections status", "subject erase", "keys"])
    func `help is an answer`(_ command: String) async throws {
        let result = try await RecorderCommand(command.split(separator: " ").map(String.init) + ["--help"]).result()
        #expect(result.status == 0)
        #expect(result.output.contains("EXAMPLES") && result.output.contains("USAGE: recorder \(command)"))
    }

    @Test func `version and completion scripts are answers`() async throws {
        let version = try await RecorderCommand.run("--version")
        #expect(version.status == 0)
        #expect(version.output.contains("."))
        for shell in ["bash", "zsh", "fish"] {
            let script = try await RecorderCommand.run("--generate-completion-script", shell)
            #expect(script.status == 0)
            #expect(script.output.contains("until-caught-up"))
        }
    }

    @Test func `no database, and none that answers, are said with what to do`() async throws {
        let folder = FileManager.default.temporaryDirectory
        let nowhere = try await RecorderCommand(["sessions"], directory: folder).result()
        #expect(nowhere.status == 1)
        #expect(nowhere.errors.contains("DATABASE_URL"))
        let silent = try await RecorderCommand.run("sessions", databaseURL: "host=/nowhere")
        #expect(silent.status == 1)
        #expect(silent.errors.contains("/nowhere"), "\(silent.errors)")
    }

    @Test(arguments: [
        (["--schema", String(repeating: "s", count: 57)], "1 to 56 bytes"), (["--schema", ""], "1 to 56 bytes"),
        (["--schema", "$user"], "must not be $user"), (["--schema", "it's"], "quotes"),
        (["--schema", #"a\b"#], "backslashes"), (["--schema", #"a"b"#], "quotes"),
    ])
    func `names of schemas that cannot be used throughout are refused`(flags: [String], reason: String) async throws {
        let result = try await RecorderCommand(["sessions"] + flags, databaseURL: "host=/nowhere").result()
        #expect(result.status == 2)
        #expect(result.errors.contains(reason), "\(result.errors)")
    }

    @Test(arguments: [
        "http://recorder.example/x", "mysql://me:secret@host/x", "localhost:5432/x", "http://x/?sslmode=off",
    ])
    func `an address of no PostgreSQL is told as that, and not looked for on this machine`(url: String) async throws {
        let flag = try await RecorderCommand(["sessions", "--database-url", url]).result()
        let variable = try await RecorderCommand(["sessions"], databaseURL: url).result()
        #expect(flag.status == 2 && variable.status == 1)
        for errors in [flag.errors, variable.errors] {
            #expect(errors.contains("write postgres://USER@HOST/DATABASE"), "\(errors)")
            #expect(!errors.contains("socket") && !errors.contains("secret"), "\(errors)")
        }
    }

    @Test(arguments: [
        "postgres://localhost:1/x", "postgresql://localhost:1/x", " host = /nowhere", "name_of_a_database",
    ])
    func `an address of PostgreSQL is tried`(url: String) async throws {
        let result = try await RecorderCommand(["sessions", "--database-url", url]).result()
        #expect(result.status == 1)
        #expect(result.errors.contains("cannot connect"), "\(result.errors)")
    }

    @Test(arguments: ["dev", "demo"]) func `an empty directory is not the current one`(command: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-empty-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await RecorderCommand([command, "--directory", ""], directory: folder).result()
        #expect(result.status == 2)
        #expect(result.errors.contains("the directory is empty"), "\(result.errors)")
    }

    @Test func `a role that may not use the schema is told so, and not to migrate`() async throws {
        try await withTestDatabase { database in
            try await withConnection(database) { administrator in
                let role = "stranger_\(UUID().uuidString.prefix(8).lowercased())"
                try await administrator.run(unsafeSQL: "create role \(role) login")
                for command in [["sessions"], ["tail", "--from-beginning", "--until-idle"], ["prices", "list"]] {
                    let result = try await RecorderCommand(command, databaseURL: database.url + " user=\(role)")
                        .result()
                    #expect(result.status == 1)
                    #expect(result.errors.contains("the role \(role) may not use the schema"), "\(result.errors)")
                    #expect(!result.errors.contains("migrate up"), "\(result.errors)")
                }
                try await administrator.run(unsafeSQL: "drop role \(role)")
            }
        }
    }

    @Test func `a pipe that does not block loses nothing`() async throws {
        let arguments = ["simulate", "--sessions", "20", "--start", "2026-03-02T08:00:00Z"]
        let whole = try await RecorderCommand(arguments).result().output
        let pipe = Pipe()
        let (reader, writer) = (pipe.fileHandleForReading, pipe.fileHandleForWriting)
        _ = fcntl(writer.fileDescriptor, F_SETFL, O_NONBLOCK)
        let process = Process()
        process.executableURL = RecorderCommand.executable
        process.arguments = arguments
        process.standardOutput = writer
        try process.run()
        // Nothing is read before the pipe is full.
        var room = pollfd(fd: writer.fileDescriptor, events: Int16(POLLOUT), revents: 0)
        try await eventually("the pipe is full, or the process has ended") {
            unsafe poll(&room, 1, 0) != 1 || !process.isRunning
        }
        #expect(room.revents == 0)
        try writer.close()
        let read = try reader.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(String(decoding: read, as: UTF8.self) == whole)
    }

    @Test func `a connection does not get the place of a closed standard output`() async throws {
        try await withTestDatabase { database in
            let script = #"exec "$0" prices list --json --database-url "$1" <&- >&-"#
            let load = #"{"models": {"m": {"input": "0.1"}}}"#
            _ = try await RecorderCommand.run("prices", "load", "-", databaseURL: database.url, input: load)
            let program = RecorderCommand.executable.path(percentEncoded: false)
            let result = try await ChildProgram.attempt("sh", ["-c", script, program, database.url])
            #expect(result.status == 1)
            // Not what an eventfd or a socket in its place says.
            #expect(result.errors.contains("cannot be written: Bad file descriptor"), "\(result.errors)")
        }
    }

    @Test(arguments: [
        (#"{"databaseUrl": "host=/x"}"#, "databaseUrl in the file"),
        (#"{"database": "host=/x"}"#, "database in the file"),
        (#"{"recorder": {"s3": {"endpiont": "x"}}}"#, "recorder.s3.endpiont in the file"),
        (#"{"recorder": {"schema": 5}}"#, "recorder.schema in the file"), (#"["x"]"#, "must be a JSON object"),
        (#"{"recorder""#, "cannot be read: not JSON"),
    ])
    func `what a file of settings may not hold is refused, not passed over`(text: String, reason: String) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "recorder-\(UUID().uuidString).json")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try await RecorderCommand(
            ["sessions", "--config", file.path(percentEncoded: false)],
            databaseURL: "host=/nowhere"
        ).result()
        #expect(result.status == 1)
        #expect(result.errors.contains(reason), "\(result.errors)")
    }

    @Test func `a file of settings may hold everything that is a setting`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "recorder-\(UUID().uuidString).json")
        let text = #"""
            {"database": {"url": "host=/of-the-file"},
             "recorder": {"schema": "recorder", "logLevel": "info", "objects": "x", "s3": {"endpoint": "e", "region": "r"}},
             "aws": {"accessKeyId": "a", "secretAccessKey": "s", "sessionToken": "t"}}
            """#
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try await RecorderCommand(["sessions", "--config", file.path(percentEncoded: false)]).result()
        #expect(result.errors.contains("/of-the-file"), "\(result.errors)")
    }

    @Test func `flags come before the environment, and that before the file`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recorder-settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: ".recorder"),
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(at: folder) }
        try #"{"database": {"url": "host=/of-the-file"}}"#
            .write(to: folder.appending(path: ".recorder/config.json"), atomically: true, encoding: .utf8)
        func errors(_ arguments: [String], databaseURL: String?) async throws -> String {
            try await RecorderCommand(["tail"] + arguments, databaseURL: databaseURL, directory: folder).result().errors
        }
        let flag = ["--database-url", "host=/of-the-flag"]
        #expect(try await errors([], databaseURL: nil).contains("/of-the-file"))
        #expect(try await errors([], databaseURL: "host=/of-the-environment").contains("/of-the-environment"))
        #expect(try await errors(flag, databaseURL: "host=/of-the-environment").contains("/of-the-flag"))
        let broken = try await errors(["--config", "/nowhere.json"], databaseURL: nil)
        #expect(broken.contains("/nowhere.json"))
        // A file of keys and the keys themselves are one setting.
        try #"{"recorder": {"keyFile": "/of-the-file"}}"#
            .write(to: folder.appending(path: ".recorder/config.json"), atomically: true, encoding: .utf8)
        let keys = try RecorderCommand(["tail"], variables: ["RECORDER_KEYS": "of the environment"], directory: folder)
        let refused = await keys.result().errors
        #expect(refused.contains("RECORDER_KEYS") && !refused.contains("/of-the-file"), "\(refused)")
    }
}
