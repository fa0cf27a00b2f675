import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder latency` of ends that lie within a minute.
@Suite struct LatencyCommandTests {
    @Test func `a range begins with the minute that it names, and ends before the one that it names`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let lines = [("00:02:10Z", 100), ("00:03:10Z", 200), ("00:04:50Z", 400)].enumerated().map { place, turn in
                let data =
                    #"{"turnId":"019cad8f-ac00-7e4e-a7b6-00000000000\#(place)","llmLatencyMs":\#(turn.1)}"#
                return Lines.event(
                    stream: stream,
                    type: "turn.generated",
                    ("occurredAt", #""2026-03-02T\#(turn.0)""#),
                    ("data", data)
                )
            }
            let appended = try await RecorderCommand.run(
                "append",
                databaseURL: database.url,
                input: lines.joined(separator: "\n")
            )
            #expect(appended.status == 0, "\(appended.errors)")
            let projected = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            #expect(projected.status == 0, "\(projected.errors)")
            func latency(_ others: String...) async throws -> [JSONValue] {
                let words = ["latency", "--stage", "llm", "--json"] + others
                return try await RecorderCommand(words, databaseURL: database.url).result().json()
            }
            let (from, until) = ("2026-03-02T00:02:30Z", "2026-03-02T00:04:59Z")
            #expect(try await latency("--from", from)[0]["count"]?.integer == 3)
            #expect(try await latency("--from", from, "--until", until)[0]["count"]?.integer == 2)
            #expect(try await latency("--to", until)[0]["count"]?.integer == 2)
            let series = try await latency("--from", from, "--until", until, "--series", "1m")
            #expect(
                series.map { $0["start"]?.string } == ["2026-03-02T00:02:00.000000Z", "2026-03-02T00:03:00.000000Z"]
            )
            #expect(series.map { $0["count"]?.integer } == [1, 1])
            for function in ["latency_percentile('stt', 0.5, null, null)", "latency_summary('stt', null, null)"] {
                await #expect(throws: PostgresError.self) {
                    try await withConnection(database) { try await $0.run(unsafeSQL: "select \(function)") }
                }
            }
        }
    }
}
