import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// Projectors on one database that do not have the same projections, such as a daemon beside one of a user's own.
@Suite(.timeLimit(.minutes(5))) struct UnequalProjectorsTests {
    @Test func `each holds all shards of what only it has, and half of what both have`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.append(ReadModels.simulated(sessions: 3, seed: 51))
            let newest = try ProjectionFiles.newest(in: .embedded)
            let both = "conversation_sessions"
            let projectors = ["conversation_turns", "conversation_costs"].map { own in
                Projector(
                    database,
                    projections: newest.filter { $0.name == own || $0.name == both },
                    logger: TestServer.logger
                )
            }
            let running = projectors.map { projector in Task { try await projector.run() } }
            defer { for task in running { task.cancel() } }
            try await withConnection(database) { connection in
                try await eventually("all shards are owned, and have everything", within: .seconds(60)) {
                    let status = try await connection.query(ProjectionStatus.Select(until: nil))
                    let owners = Dictionary(grouping: status, by: \.key.projection.name).mapValues { shards in
                        Dictionary(grouping: shards, by: \.owner).mapValues(\.count)
                    }
                    return owners.count == 3 && status.allSatisfy { $0.owner != nil && $0.eventsBehind == 0 }
                        && owners.allSatisfy { name, shards in Array(shards.values) == (name == both ? [8, 8] : [16]) }
                }
            }
            let contents = try await models.contents()
            #expect(contents["conversation_turns"]?.isEmpty == false && contents["conversation_sessions"]?.count == 3)
            for task in running { task.cancel() }
            for task in running { try await task.value }
        }
    }
}
