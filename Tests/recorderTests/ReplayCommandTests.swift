import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder replay` of sessions that are not as they should be.
@Suite(.timeLimit(.minutes(5))) struct ReplayCommandTests {
    @Test func `a session whose first event is later than the others does not wait for it`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            let times = ["2026-09-02T08:00:00Z", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00.5Z"]
            let lines = times.map { Lines.event(stream: stream, ("occurredAt", "\"\($0)\"")) }.joined(separator: "\n")
            let appended = try await RecorderCommand.run("append", databaseURL: database.url, input: lines + "\n")
            #expect(appended.status == 0, "\(appended.errors)")
            let played = try await RecorderCommand.run("replay", "\(stream)", "--json", databaseURL: database.url)
                .json()
            #expect(played.map { $0["offsetMs"]?.integer } == [15_897_600_000, 0, 500])
        }
    }

    @Test func `a version that a session has not reached is said to be none`() async throws {
        try await withTestDatabase { database in
            let stream = Lines.stream()
            _ = try await RecorderCommand.run(
                "append",
                databaseURL: database.url,
                input: Lines.event(stream: stream) + "\n"
            )
            let last = try await RecorderCommand.run("replay", "\(stream)", "--until", "1", databaseURL: database.url)
            #expect(last.status == 0 && last.errors.isEmpty, "\(last.errors)")
            let beyond = try await RecorderCommand.run(
                "replay",
                "\(stream)",
                "--until",
                "9999",
                databaseURL: database.url
            )
            #expect(beyond.status == 0 && beyond.output == last.output)
            #expect(beyond.errors.contains("no version 9999: this is its last one, 1"), "\(beyond.errors)")
        }
    }
}
