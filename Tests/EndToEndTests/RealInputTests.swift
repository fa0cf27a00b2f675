import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// The main job on real input, run as its user runs it: prices, import, projection; then every row against the oracle.
@Suite(.enabled(if: SharedData.folder != nil, Comment(rawValue: SharedData.missing)))
struct RealInputTests {
    @Test func `every row of the real dialogues and traces is what the oracle says`() async throws {
        let files = try await SharedData.conversations()
        try await withTestDatabase { database in
            let run = Recording(database)
            try await run.prices()
            let imported = try await run.importing(files)
            #expect(imported.status == 0, "\(imported.errors)")
            #expect(try await run.count("events") == 81_391)
            try await run.project()

            let connection = try await PostgresConnection.connect(database)
            let expectation = try OracleExpectation(try await SharedData.expectation(of: files))
            #expect(expectation.sessions.count == 637)
            var comparison = OracleComparison()
            try await comparison.compare(expectation, on: connection)
            try await comparison.comparePercentiles(expectation, on: connection)
            #expect(comparison.differences.isEmpty, "\(comparison.differences.prefix(20).joined(separator: "\n"))")
            #expect(comparison.rows > 30_000)

            let trace = try await connection.text(
                unsafeSQL: "select sum(total_cost) from conversation_sessions where llm_provider = 'anthropic'"
            )
            #expect(trace.first?.first.flatMap { $0 } == "1647.1991238")

            // The same again stores nothing.
            let again = try await run.importing(files)
            #expect(again.status == 0, "\(again.errors)")
            #expect(try await run.count("events") == 81_391)
            await connection.close()
        }
    }

    @Test func `speech with alternatives and Polish text goes through unchanged`() async throws {
        let files = try await SharedData.recognitions()
        try await withTestDatabase { database in
            let run = Recording(database)
            let imported = try await run.importing(files)
            #expect(imported.status == 0, "\(imported.errors)")
            try await run.project()
            let connection = try await PostgresConnection.connect(database)
            var comparison = OracleComparison()
            let expectation = try OracleExpectation(try await SharedData.expectation(of: files))
            try await comparison.compare(expectation, on: connection)
            #expect(comparison.differences.isEmpty, "\(comparison.differences.prefix(20).joined(separator: "\n"))")
            #expect(comparison.rows > 3_000)
            await connection.close()
        }
    }
}
