import EventModel
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

@Suite struct RebuildQuarantineTests {
    private func run(_ sql: String, _ database: PostgresConfiguration) async throws -> [[String?]] {
        let connection = try await PostgresConnection.connect(database)
        let rows = try await connection.text(unsafeSQL: sql)
        await connection.close()
        return rows
    }

    @Test func `a stream that stands in quarantine stands there after a rebuild`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            var appends = ReadModels.simulated(sessions: 5, seed: 27)
            let data = #"{"turnId":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","llmLatencyMs":"soon"}"#
            let poison = try EventDraft(id: .generate(at: .now()), type: .turnGenerated, data: Array(data.utf8))
            appends.insert(Append(stream: appends[20].stream, events: [poison]), at: 60)
            try await models.append(appends)
            try await models.project(onFailure: .quarantine)
            let quarantine = "select projection, stream_id, event_version, shard from projection_quarantine order by 1"
            let before = (try await models.contents(), try await run(quarantine, database))
            #expect(before.1.count == 3)
            for name in ReadModels.views {
                let options = RebuildOptions(parallelism: 2, batchSize: 30)
                let outcome = try await RebuildGroup(
                    [(name, nil)],
                    among: try ProjectionFiles.all(in: .embedded),
                    configuration: database,
                    options: options
                ).runAlone()
                #expect(outcome.comparison?.differenceCount == 0)
            }
            #expect(try await models.contents() == before.0)
            #expect(try await run(quarantine, database) == before.1)
        }
    }
}
