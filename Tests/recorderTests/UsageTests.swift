import Foundation
import RecorderTesting
import Testing

/// What the program does before it meets a database.
@Suite struct UsageTests {
    @Test(arguments: [
        ["--nonsense"], ["append", "--nonsense"], ["import"], ["events", "no-uuid"], ["replay"], ["nonsense"],
        ["tail", "--from-beginning", "--cursor", "1:1:"], ["migrate", "down", "--steps", "0"],
        ["costs", "--by", "day,nonsense"], ["latency", "--percentiles", "101"], ["latency", "--series", "1h"],
        ["dictionary", "train"], ["demo", "--producers", "0"], ["sessions", "--log-level", "loud"],
    ])
    func `wrong usage ends with status 2 and says how to use it`(_ arguments: [String]) async throws {
        let result = try await RecorderCommand(arguments).result()
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("Usage: recorder"))
    }

    @Test(arguments: [
        "append", "import", "events", "tail", "simulate", "project", "projections", "projections list",
        "projections status", "prices load", "prices list", "dictionary train", "dictionary list", "sessions",
        "session",
        "replay", "latency", "costs", "audit", "audit verify", "migrate up", "migrate down", "migrate status",
        "migrate verify", "migrate new", "dev", "demo",
    ])
    func `every command has help with examples`(_ command: String) async throws {
        let result = try await RecorderCommand(command.split(separator: " ").map(String.init) + ["--help"]).result()
        #expect(result.status == 0)
        #expect(result.output.contains("EXAMPLES"))
        #expect(result.output.contains("recorder \(command)"))
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
    }
}
