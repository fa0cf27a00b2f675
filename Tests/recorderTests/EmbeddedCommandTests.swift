import EventModel
import Foundation
import RecorderTesting
import Testing

/// `recorder dev` and `recorder demo`, each with a server of its own.
@Suite struct EmbeddedCommandTests {
    /// Makes a folder that is removed at the end.
    private static func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "recorder-cli-\(UUID().uuidString.prefix(8))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    /// The processes whose arguments name a folder.
    private static func processes(naming folder: URL) throws -> [String] {
        let name = folder.lastPathComponent
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.filter { entry in
            let words = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline") ?? Data()
            return String(decoding: words, as: UTF8.self).contains(name)
        }
    }

    @Test func `the demo records, projects, shows and replays, twice, and leaves no server`() async throws {
        try await Self.withFolder { folder in
            for run in 1...2 {
                let demo = try RecorderCommand(["demo", "--sessions", "6", "--speed", "0"], directory: folder)
                let result = await demo.result()
                #expect(result.status == 0, "\(result.errors)")
                for heading in [
                    "Recording 6 conversations", "Projecting", "Sessions", "turn by turn", "percentiles", "Costs",
                    "One user, from the first day to the last",
                ] {
                    #expect(result.output.contains(heading))
                }
                #expect(result.output.contains("== Replaying session"))
                let table = result.output.split(separator: "== Sessions, newest first").last
                let rows = try #require(table?.split(separator: "==").first)
                // The run before left six conversations and that of the one user.
                #expect(rows.split(separator: "\n").count == 1 + 6 * run + (run - 1))
                let verified = result.output.split(separator: "$ recorder audit verify\n").dropFirst()
                #expect(
                    verified.map { $0.hasPrefix("all chains of audited events hold") } == [true, true, false, true]
                )
                #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/.recorder/journey"))
            }
            #expect(try Self.processes(naming: folder).isEmpty)
        }
    }

    @Test(arguments: [2, 15])
    func `dev serves the other commands, refuses a second and stops on a signal`(_ signal: Int32) async throws {
        try await Self.withFolder { folder in
            let dev = try RecorderCommand(["dev", "--json"], directory: folder)
            try await eventually("dev says that it is there, or has ended") {
                !dev.outputSoFar.isEmpty || kill(dev.id, 0) != 0
            }
            // What it says is enough for services that run elsewhere.
            let said = try JSONValue(json: Array(dev.outputSoFar.utf8))
            let session = try await RecorderCommand.run("simulate", "--sessions", "1")
            let input = folder.appending(path: "session.jsonl")
            try Data(session.output.utf8).write(to: input)
            let service = try RecorderCommand(
                ["import", "-"],
                databaseURL: said["databaseUrl"]?.string,
                variables: ["RECORDER_KEY_FILE": said["keyFile"]?.string ?? ""],
                input: input,
                directory: URL(filePath: "/")
            )
            let recorded = await service.result()
            #expect(recorded.status == 0, "\(recorded.errors)")
            let second = await (try RecorderCommand(["dev"], directory: folder)).result()
            #expect(second.status == 1)
            #expect(second.errors.contains("already run by process \(dev.id)"), "\(second.errors)")
            let sessions = await (try RecorderCommand(["sessions", "--json"], directory: folder)).result()
            #expect(sessions.status == 0, "\(sessions.errors)")
            dev.send(signal)
            let ended = await dev.result()
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(try Self.processes(naming: folder).isEmpty)
            let without = await (try RecorderCommand(["sessions"], directory: folder)).result()
            #expect(without.status == 1)
            #expect(without.errors.contains("no database is given"))
        }
    }
}
