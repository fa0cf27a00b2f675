import EventModel
import Glibc
import Postgres
import RecorderTesting
import Testing

@testable import Simulator

/// The recorder behind a pooler that lends two sessions to all, for one transaction at a time.
@Suite struct PooledCommandTests {
    private static func lines(seed: UInt64, sessions: Int) -> [String] {
        var simulator = ConversationSimulator(seed: seed, startingAt: .now())
        return (0..<sessions).flatMap { _ in simulator.nextSession().events }.map { line in
            var bytes: [UInt8] = []
            line.appendJSON(to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Runs a command that must succeed.
    @discardableResult
    private static func run(_ arguments: String..., on database: PostgresConfiguration, input: [String] = [])
        async throws
        -> RecorderCommand.Result
    {
        let input = input.joined(separator: "\n")
        let result = try await RecorderCommand.run(arguments, databaseURL: database.url, input: input)
        try #require(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    @Test func `a log is migrated, written by several at once, projected, rebuilt and read`() async throws {
        try await withPooledDatabase(.empty) { database in
            try await Self.run("migrate", "up", on: database)
            try await Self.run("migrate", "verify", on: database)
            let first = Self.lines(seed: 1, sessions: 40)
            try await Self.run("import", "-", on: database, input: first)
            let daemon = try RecorderCommand(["project"], databaseURL: database.url)
            var appended = 0
            try await withThrowingTaskGroup(of: Int.self) { group in
                for seed in 2..<5 {
                    group.addTask {
                        let lines = Self.lines(seed: UInt64(seed), sessions: 15)
                        let answers = try await Self.run("append", "--json", on: database, input: lines)
                        #expect(answers.lines.count == lines.count)
                        return lines.count
                    }
                }
                appended = try await group.reduce(0, +)
            }
            try await Self.run("projections", "rebuild", "--all", on: database)
            daemon.send(SIGTERM)
            await #expect(daemon.result().status == 0)
            try await Self.run("project", "--until-caught-up", on: database)
            let verified = try await Self.run("projections", "verify", on: database)
            #expect(verified.lines.count { $0.hasSuffix(" 0 differences") } == 6, "\(verified.output)")
            let tail = try await Self.run("tail", "--from-beginning", "--json", "--until-idle", on: database)
            #expect(tail.lines.count == first.count + appended)
            let sessions = try await Self.run("sessions", "--json", "--limit", "0", on: database)
            #expect(sessions.lines.count == 85)
        }
    }
}
