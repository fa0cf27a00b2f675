import EventStore
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// A projection that was swapped, or whose shards were taken over, stands at a cursor of its own; it is read together
/// with the others again as soon as a round brings both to the head.
@Suite struct CursorMergeTests {
    /// A worker that has caught up, and has one projection swapped under it and claimed again.
    private static func swapped(_ worker: WorkerByHand) async throws -> [ProjectionShard: OwnedShard] {
        var owned = try await worker.claim(worker.worker)
        for _ in 0..<2 { owned = try await worker.round(owned).owned }
        #expect(try await worker.round(owned).cursors == 1)
        try await RebuildGroup(
            [("conversation_turns", nil)],
            among: try ProjectionFiles.all(in: .embedded),
            configuration: worker.database
        ).runAlone()
        let turns = worker.keys.filter { $0.projection.name == "conversation_turns" }
        let claimed = try await worker.connection.query(Lease.Claim(owner: worker.worker, wanted: turns))
        #expect(claimed.count == turns.count)
        for checkpoint in claimed { owned[checkpoint.key] = OwnedShard(checkpoint, stopped: []) }
        return owned
    }

    @Test func `a swapped projection stands at one cursor with the others after a round at the head`() async throws {
        try await withTestDatabase { database in
            let worker = try await WorkerByHand(database)
            let owned = try await Self.swapped(worker)
            let first = try await worker.round(owned)
            #expect(first.cursors == 2)
            #expect(try await worker.round(first.owned).cursors == 1)
            await worker.connection.close()
        }
    }

    @Test
    func
        `with events waiting it does so in the round behind the one that catches up, and no event is folded twice or left out`()
        async throws
    {
        try await withTestDatabase { database in
            let worker = try await WorkerByHand(database)
            let models = ReadModels(database: database)
            var owned = try await Self.swapped(worker)
            try await models.append(ReadModels.simulated(sessions: 5, seed: 53))
            var seen: [Int] = []
            var hasMore = true
            while hasMore {
                let outcome = try await worker.round(owned, batchSize: 60)
                (owned, hasMore) = (outcome.owned, outcome.hasMore)
                seen.append(outcome.cursors)
            }
            #expect(seen.count > 3)
            #expect(seen.allSatisfy { (1...2).contains($0) })
            // The one that reads fewer types was at the head before the others:
            // the round that finds all there joins them.
            owned = try await worker.round(owned).owned
            #expect(try await worker.round(owned).cursors == 1)
            let live = try await models.contents()
            await worker.connection.close()
            try await models.forget()
            try await models.project()
            #expect(try await models.contents() == live)
        }
    }
}
