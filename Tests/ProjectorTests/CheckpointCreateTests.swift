import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// How many shards a projection has is settled once, by whoever comes first.
@Suite struct CheckpointCreateTests {
    private static let counts = """
        select projection, version, count(*), count(distinct shards), min(shards) from projection_checkpoints
        group by projection, version order by projection, version
        """

    @Test func `of two projectors that begin at once with different numbers of shards one has its way`() async throws {
        try await withTestDatabase { database in
            let projections = try ProjectionFiles.newest(in: .embedded)
            try await withConnection(database) { first in
                try await first.run(unsafeSQL: "begin")
                try await first.execute(Checkpoint.Create(projections: projections, shards: 8))
                let second = Task {
                    try await withConnection(database) { connection in
                        try await connection.execute(Checkpoint.Create(projections: projections, shards: 16))
                    }
                }
                try await withConnection(database) { connection in
                    let waiting = """
                        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                        """
                    try await eventually("the second one waits") {
                        try await !connection.text(unsafeSQL: waiting).isEmpty
                    }
                }
                try await first.run(unsafeSQL: "commit")
                _ = try await second.value
                let rows = try await first.text(unsafeSQL: Self.counts)
                #expect(rows.count == projections.count)
                for row in rows {
                    #expect(row[2] == row[4] && row[3] == "1", "\(row)")
                    #expect(row[0] == "audit_logs" ? row[4] == "1" : row[4] == "8", "\(row)")
                }
            }
        }
    }

    @Test func `a projector refuses checkpoints for different numbers of shards`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(database: database)
            try await models.project()
            try await withConnection(database) { connection in
                try await connection.run(
                    unsafeSQL: """
                        update projection_checkpoints set shards = 8 where projection = 'conversation_turns' and shard < 8
                        """
                )
            }
            let error = await #expect(throws: ProjectorError.self) { try await models.project() }
            #expect(error?.code == .mixedShards)
            #expect(error?.message.contains("conversation_turns v1") == true, "\(error?.message ?? "")")
        }
    }
}
