import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// Two versions of a projection side by side, by the command line alone.
@Suite struct VersionCommandTests {
    /// What the operator types, with a folder that holds a second version of the turns.
    private struct Operator {
        let database: PostgresConfiguration
        let folder: URL

        init(_ database: PostgresConfiguration) throws {
            self.database = database
            folder = FileManager.default.temporaryDirectory.appending(path: "versions-\(UUID().uuidString)")
            let version = folder.appending(path: "conversation_turns/v2")
            try FileManager.default.createDirectory(at: version, withIntermediateDirectories: true)
            for (name, text) in ProjectionAdministrationTests.secondVersionOfTurns() {
                try Data(text.utf8).write(to: version.appending(path: name))
            }
        }

        @discardableResult
        func run(_ words: String..., status: Int32 = 0) async throws -> RecorderCommand.Result {
            let further = ["--projections", folder.path(percentEncoded: false)]
            let result = await (try RecorderCommand(words + further, databaseURL: database.url)).result()
            #expect(result.status == status, "\(words): \(result.output)\(result.errors)")
            return result
        }

        func rows(_ sql: String) async throws -> [[String?]] {
            let connection = try await PostgresConnection.connect(database)
            let rows = try await connection.text(unsafeSQL: sql)
            await connection.close()
            return rows
        }

        /// Which version the view reads: the second says `2`.
        func live() async throws -> Int {
            let columns = try await rows(
                """
                select 1 from pg_attribute where attrelid = 'conversation_turns'::regclass and attname = 'revision'
                    and not attisdropped
                """
            )
            guard !columns.isEmpty else { return 1 }
            return try await rows("select 1 from conversation_turns where revision = 2 limit 1").isEmpty ? 1 : 2
        }

        /// Builds version 2 of the turns and has the views read it, although it differs from the first.
        func buildSecondVersion() async throws {
            try await run("projections", "rebuild", "conversation_turns", "--version", "2", "--accept-differences")
        }
    }

    @Test func `who switches the views does not have readers wait`() async throws {
        try await withTestDatabase { database in
            let shell = try Operator(database)
            defer { try? FileManager.default.removeItem(at: shell.folder) }
            try await ReadModels(database: database).append(ReadModels.simulated(sessions: 1, seed: 52))
            try await shell.run("project", "--until-caught-up")
            try await shell.buildSecondVersion()
            #expect(try await shell.live() == 2)
            try await withReader(of: "conversation_turns", in: database) {
                try await shell.run("projections", "activate", "conversation_turns", "--version", "1")
            }
            #expect(try await shell.live() == 1)
        }
    }

    @Test func `a projector does not begin on a schema that is older`() async throws {
        try await withTestDatabase { database in
            _ = try await RecorderCommand.run("migrate", "down", databaseURL: database.url)
            let refused = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            #expect(refused.status == 1)
            #expect(
                refused.errors.contains("pending in schema recorder: run `recorder migrate up`"),
                "\(refused.errors)"
            )
            _ = try await RecorderCommand.run("migrate", "up", databaseURL: database.url)
            try await withConnection(database) { connection in
                try await connection.run(unsafeSQL: "insert into schema_migrations values (9999, 'later', '')")
            }
            let warned = try await RecorderCommand.run("project", "--until-caught-up", databaseURL: database.url)
            #expect(warned.status == 0, "\(warned.errors)")
            #expect(warned.errors.contains("9999_later"), "\(warned.errors)")
        }
    }

    @Test func `two versions are built, switched, switched back and dropped by commands`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            let events = ReadModels.simulated(sessions: 8, seed: 52)
            let shell = try Operator(database)
            defer { try? FileManager.default.removeItem(at: shell.folder) }
            try await models.append(Array(events[..<300]))
            try await shell.run("project", "--until-caught-up")
            let turns =
                "select session_id, turn_id, turn_index::int, lower(status) from conversation_turns order by 1, 2"
            let first = try await shell.rows(turns)
            #expect(!first.isEmpty)
            #expect(try await shell.live() == 1)

            // A version that is meant to differ has to be accepted.
            let refused = try await shell.run(
                "projections",
                "rebuild",
                "conversation_turns",
                "--version",
                "2",
                status: 1
            )
            #expect(refused.errors.contains("--accept-differences"), "\(refused.errors)")
            #expect(try await shell.live() == 1)
            try await shell.buildSecondVersion()
            #expect(try await shell.live() == 2)
            #expect(try await shell.rows(turns) == first)

            // Both are projected, whichever is read.
            try await models.append(Array(events[300...]))
            try await shell.run("project", "--until-caught-up")
            let second = try await shell.rows(turns)
            #expect(second.count > first.count)
            let status = try await RecorderCommand.run("projections", "status", "--json", databaseURL: database.url)
            let versions = try status.lines.map { try JSONValue(json: Array($0.utf8)) }
                .filter { $0["projection"]?.string == "conversation_turns" }
            #expect(Set(versions.compactMap { $0["version"]?.integer }) == [1, 2])

            for version in [1, 2, 1] {
                try await shell.run("projections", "activate", "conversation_turns", "--version", "\(version)")
                #expect(try await shell.live() == version)
                #expect(try await shell.rows(turns) == second)
            }
            let kept = try await shell.run("projections", "drop", "conversation_turns", "--version", "1", status: 1)
            #expect(kept.errors.contains("conversation_turns"), "\(kept.errors)")
            try await shell.run("projections", "drop", "conversation_turns", "--version", "2")
            try await shell.run("projections", "activate", "conversation_turns", "--version", "2", status: 1)
            #expect(try await shell.rows(turns) == second)
            #expect(try await shell.rows("select 1 from projection_checkpoints where version = 2").isEmpty)
        }
    }
}
