import EventModel
import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// Two versions of a projection side by side: what befalls one is not the other's.
@Suite struct VersionFaultTests {
    private static let turn = "019cad8f-ac00-7e4e-a7b6-000000000001"

    /// A database with both versions of the turns.
    private func withBoth(_ body: (PostgresConfiguration, PostgresConnection) async throws -> Void) async throws {
        try await withTestDatabase { database in
            try await withConnection(database) { connection in
                for files in try Self.files() { try await ProjectionInstaller().install(files, on: connection) }
                try await body(database, connection)
            }
        }
    }

    private static func files() throws -> [ProjectionFiles] {
        let second = ProjectionAdministrationTests.secondVersionOfTurns()
            .map { ("projections/conversation_turns/v2/\($0.key)", $0.value) }
        return try ProjectionFiles.all(in: SQLFiles(texts: SQLFiles.embedded.texts.merging(second) { $1 }))
            .filter { $0.name == "conversation_turns" }
    }

    private func project(_ versions: Set<Int> = [1, 2], on database: PostgresConfiguration) async throws {
        let projections = try Self.files().filter { versions.contains($0.version) }
        try await Projector(database, projections: projections, logger: TestServer.silent).runUntilCaughtUp()
    }

    private func append(_ data: String, to database: PostgresConfiguration) async throws {
        let event = try EventDraft(id: .generate(at: .now()), type: .turnGenerated, data: Array(data.utf8))
        try await ReadModels(database: database).append([Append(stream: .generate(at: .now()), events: [event])])
    }

    private func tokens(_ version: Int, _ connection: PostgresConnection) async throws -> [String?] {
        try await connection.text(unsafeSQL: "select input_tokens from conversation_turns_v\(version)").map { $0[0] }
    }

    @Test(arguments: [[1], [2], [1, 2]])
    func `a retry folds into the version that had stopped`(stopped: [Int]) async throws {
        try await withBoth { database, connection in
            for version in stopped {
                try await connection.run(
                    unsafeSQL: "alter table conversation_turns_v\(version) add constraint few check (input_tokens < 10)"
                )
            }
            try await append(#"{"turnId":"\#(Self.turn)","inputTokens":100}"#, to: database)
            try await project(on: database)
            for version in 1...2 {
                #expect(try await tokens(version, connection) == (stopped.contains(version) ? [] : ["100"]))
            }
            for version in stopped {
                try await connection.run(unsafeSQL: "alter table conversation_turns_v\(version) drop constraint few")
            }
            try await connection.execute(Quarantine.RequestRetry(projection: nil, stream: nil))
            try await project(on: database)
            for version in 1...2 { #expect(try await tokens(version, connection) == ["100"]) }
            #expect(try await connection.text(unsafeSQL: "select from projection_quarantine").isEmpty)
        }
    }

    @Test func `a version whose SQL fails does not suspend the other`() async throws {
        try await withBoth { database, connection in
            try await connection.run(unsafeSQL: "alter table conversation_turns_v2 rename column error_type to other")
            try await append(#"{"turnId":"\#(Self.turn)","inputTokens":100}"#, to: database)
            let error = await #expect(throws: ProjectorError.self) { try await project(on: database) }
            #expect(error?.code == .projectionFailed && error?.message.contains("v2") == true)
            #expect(try await tokens(1, connection) == ["100"])
            let failed = try await connection.text(
                unsafeSQL: "select distinct version from projection_checkpoints where error is not null"
            )
            #expect(failed == [["2"]])
        }
    }

    @Test func `a retry that meets broken SQL ends nothing, and is tried again when it is asked for again`()
        async throws
    {
        try await withBoth { database, connection in
            func alter(_ version: Int, _ change: String) async throws {
                try await connection.run(unsafeSQL: "alter table conversation_turns_v\(version) \(change)")
            }
            for version in 1...2 { try await alter(version, "add constraint few check (input_tokens < 10)") }
            try await append(#"{"turnId":"\#(Self.turn)","inputTokens":100}"#, to: database)
            try await project(on: database)
            for version in 1...2 { try await alter(version, "drop constraint few") }
            try await alter(1, "rename column error_type to other")
            try await connection.execute(Quarantine.RequestRetry(projection: nil, stream: nil))
            try await project(on: database)
            let failed = try await connection.text(
                unsafeSQL: "select version, attempts, error from projection_quarantine"
            )
            #expect(failed.map { $0[...1] } == [["1", "2"]] && failed[0][2]?.contains("apply.sql") == true)
            #expect(try await tokens(2, connection) == ["100"])
            // Nor is anybody else stopped by it: what comes fails by itself.
            try await alter(1, "rename column other to error_type")
            try await connection.execute(Quarantine.RequestRetry(projection: nil, stream: nil))
            try await project(on: database)
            #expect(try await tokens(1, connection) == ["100"])
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a projector catches up without waiting for versions that it does not have`() async throws {
        try await withBoth { database, connection in
            try await project(on: database)
            try await append(#"{"turnId":"\#(Self.turn)","inputTokens":100}"#, to: database)
            try await project([1], on: database)
            #expect(try await tokens(1, connection) == ["100"])
            #expect(try await tokens(2, connection) == [])
        }
    }
}
