import Foundation
import Postgres
import RecorderTesting
import Testing

/// `--metrics-file`.
@Suite(.timeLimit(.minutes(5))) struct MetricsFileTests {
    /// Runs a command that counts.
    ///
    /// - Returns: The lines that it has left, without the label of their source.
    private func lines(of arguments: String..., databaseURL: String, input: String? = nil) async throws -> [String] {
        let file = FileManager.default.temporaryDirectory.appending(path: "metrics-\(UUID().uuidString).prom")
        defer { try? FileManager.default.removeItem(at: file) }
        let path = file.path(percentEncoded: false)
        let result = try await RecorderCommand.run(
            arguments + ["--metrics-file", path],
            databaseURL: databaseURL,
            input: input
        )
        #expect(result.status == 0, "\(result.errors)")
        // Whoever collects it is another user.
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(try #require(mode) & 0o444 == 0o444)
        let source = #"{source="\#(file.deletingPathExtension().lastPathComponent)"}"#
        let text = try String(contentsOf: file, encoding: .utf8).replacing(source, with: "")
        return text.split(separator: "\n").map(String.init)
    }

    @Test func `it says what was appended, imported and projected`() async throws {
        try await withTestDatabase { database in
            let events = Lines.events(stream: Lines.stream(), count: 3).joined(separator: "\n")
            let appended = try await lines(of: "append", databaseURL: database.url, input: events)
            #expect(appended.contains("recorder_appended_events_total 3"), "\(appended)")
            let others = Lines.events(stream: Lines.stream(), count: 5).joined(separator: "\n")
            let imported = try await lines(of: "import", "-", databaseURL: database.url, input: others)
            #expect(imported.contains("recorder_appended_events_total 5"), "\(imported)")
            let projected = try await lines(of: "project", "--until-caught-up", databaseURL: database.url)
            #expect(projected.contains("# TYPE recorder_projected_events_total counter"), "\(projected)")
            #expect(projected.contains("recorder_projected_events_total 8"), "\(projected)")
        }
    }

    @Test func `a place where it cannot be is refused before anything is done`() async throws {
        try await withTestDatabase { database in
            let result = try await RecorderCommand.run(
                "append",
                "--metrics-file",
                "/nowhere/recorder.prom",
                databaseURL: database.url,
                input: Lines.event(stream: Lines.stream())
            )
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(result.errors.contains("/nowhere/recorder.prom"), "\(result.errors)")
        }
    }

    /// The figures of the log are measured every ten seconds, and so is the file written.
    @Test func `a daemon says how far each shard is behind`() async throws {
        try await withTestDatabase { database in
            let file = FileManager.default.temporaryDirectory.appending(path: "daemon-\(UUID().uuidString).prom")
            defer { try? FileManager.default.removeItem(at: file) }
            let path = file.path(percentEncoded: false)
            let daemon = try RecorderCommand(["project", "--metrics-file", path], databaseURL: database.url)
            defer { daemon.send(SIGKILL) }
            try await eventually("the lag of a shard is written") {
                (try? String(contentsOf: file, encoding: .utf8))?.contains(
                    #"",projection="conversation_turns",version="1",shard="15"} 0"#
                ) == true
            }
            daemon.send(SIGTERM)
            #expect(await daemon.result().status == 0)
            // Nobody measures it any more.
            #expect(try !String(contentsOf: file, encoding: .utf8).contains("events_behind"))
        }
    }
}
