import Foundation
import Postgres
import RecorderTesting
import Testing

/// Lists that are longer than a page.
@Suite struct ListCommandTests {
    @Test func `a list says what it leaves out, and has one head however long it is`() async throws {
        try await withTestDatabase { database in
            let input = (0..<1_002).map { _ in Lines.event(stream: Lines.stream(), type: "session.started") }
            let lines = input.joined(separator: "\n")
            _ = try await RecorderCommand.run("import", "-", databaseURL: database.url, input: lines)
            _ = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            for (command, shown) in [("sessions", 50), ("audit", 100)] {
                let some = try await RecorderCommand.run(command, databaseURL: database.url)
                #expect(some.lines.count == shown + 1)
                #expect(some.errors.contains("there are more than these"), "\(some.errors)")
                let all = try await RecorderCommand.run(command, "--limit", "0", databaseURL: database.url)
                #expect(all.lines.count == 1_003)
                #expect(all.lines.count { $0 == all.lines[0] } == 1)
                #expect(all.errors.isEmpty, "\(all.errors)")
                let whole = try await RecorderCommand.run(command, "--limit", "1002", databaseURL: database.url)
                #expect(whole.errors.isEmpty, "\(whole.errors)")
            }
        }
    }
}
