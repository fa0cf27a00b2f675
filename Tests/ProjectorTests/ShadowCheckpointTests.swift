import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

@Suite struct ShadowCheckpointTests {
    /// Else a process that was slow would fold again what another one has folded.
    @Test func `a shard of a shadow moves once from each place, also within a window`() async throws {
        try await withTestConnection { connection in
            let files = try #require(try ProjectionFiles.newest(in: .embedded).first)
            let model = ShadowModel(files, purpose: .verify, recorder: "recorder")
            try await connection.execute(ShadowCheckpoint.Create(model: model, shards: 1, total: 3))
            let places = try [
                LogCursor.beginning.description, "1:1:/30:30:@10", "1:1:/30:30:@20", "30:30:",
            ].map { try #require(LogCursor($0)) }
            for (place, next) in zip(places, places.dropFirst()) {
                let advance = ShadowCheckpoint.Advance(
                    shards: [.init(model: model, shard: 0, given: 1, read: 1)],
                    from: place,
                    to: next
                )
                #expect(try await connection.query(advance).map(\.shards) == [1])
                #expect(try await connection.query(advance).isEmpty)
            }
            let stored = try await connection.query(ShadowCheckpoint.Load(model: model))
            #expect(stored.map(\.cursor) == places.suffix(1))
            #expect(stored.map(\.events) == [3])
        }
    }
}
