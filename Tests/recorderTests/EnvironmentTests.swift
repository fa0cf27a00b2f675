import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// What the environment wants of libpq, and the program does not.
@Suite struct EnvironmentTests {
    @Test func `days are written the same, whatever PGDATESTYLE says`() async throws {
        try await withTestDatabase { database in
            let (stream, day) = (Lines.stream(), ("occurredAt", #""2026-03-02T08:00:09Z""#))
            let turn = #"{"turnId":"019cad8f-d1bd-76c5-b506-8f76320fb771","turnIndex":1,"llmCost":"0.5"}"#
            let lines = ["session.started", "turn.started", "turn.generated"].map {
                Lines.event(stream: stream, type: $0, day, ("data", turn))
            }.joined(separator: "\n")
            let appended = try await RecorderCommand.run("append", databaseURL: database.url, input: lines + "\n")
            #expect(appended.status == 0, "\(appended.errors)")
            let projected = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            #expect(projected.status == 0, "\(projected.errors)")
            let program = RecorderCommand.executable.path(percentEncoded: false)
            let costs = [program, "costs", "--by", "day", "--json", "--database-url", database.url]
            let shown = try await ChildProgram.run("env", ["PGDATESTYLE=German"] + costs).text
            #expect(shown.contains(#""day":"2026-03-02""#), "\(shown)")
        }
    }
}
