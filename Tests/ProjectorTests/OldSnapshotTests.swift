import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// Transactions that would see half of a model that is swapped in under them.
@Suite struct OldSnapshotTests {
    @Test func `one that does not end is named after a while, and the rebuild goes on when it has`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 3, seed: 29))
            try await models.project()
            let before = try await models.contents()
            let rebuild = try RebuildGroup(
                [("conversation_turns", nil)],
                among: try ProjectionFiles.all(in: .embedded),
                configuration: database,
                options: RebuildOptions(patience: .milliseconds(100))
            )
            try await withConnection(database) { reader in
                try await reader.run(unsafeSQL: "begin isolation level repeatable read; select 1")
                let processes = try await reader.text(unsafeSQL: "select pg_backend_pid()")
                let process = try #require(processes.first?.first ?? nil)
                let error = await #expect(throws: ProjectorError.self) { try await rebuild.runAlone() }
                #expect(error?.code == .readersInTheWay)
                #expect(error?.message.contains("pid \(process) ") == true, "\(error?.message ?? "")")
                try await reader.run(unsafeSQL: "commit")
            }
            #expect(try await rebuild.runAlone().isResumed)
            #expect(try await models.contents() == before)
        }
    }
}
