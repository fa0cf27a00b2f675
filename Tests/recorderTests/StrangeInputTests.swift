import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// Input and settings that are something else than was meant, and events that would disturb a terminal.
@Suite struct StrangeInputTests {
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
}
