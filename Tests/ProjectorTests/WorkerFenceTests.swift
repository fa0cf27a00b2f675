import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// What keeps a worker that is behind the times from writing.
@Suite struct WorkerFenceTests {
    @Test(arguments: [false, true])
    func `a worker whose shards were claimed by another writes nothing`(isCareful: Bool) async throws {
        try await withTestDatabase { database in
            let fence = try await WorkerByHand(database)
            let owned = try await fence.claim(fence.worker)
            #expect(try await fence.claim(UUID()).count == owned.count, "without a heartbeat a lease is void")
            try await fence.expectRefusal(of: owned, isCareful: isCareful)
            await fence.connection.close()
        }
    }

    @Test(arguments: [false, true])
    func `a lease of an earlier epoch is void even for its own worker`(isCareful: Bool) async throws {
        try await withTestDatabase { database in
            let fence = try await WorkerByHand(database)
            let owned = try await fence.claim(fence.worker)
            _ = try await fence.claim(fence.worker)
            try await fence.expectRefusal(of: owned, isCareful: isCareful)
            await fence.connection.close()
        }
    }

    @Test(arguments: [false, true])
    func `a batch that was committed cannot be applied again from where it began`(isCareful: Bool) async throws {
        try await withTestDatabase { database in
            let fence = try await WorkerByHand(database)
            let owned = try await fence.claim(fence.worker)
            let outcome = try await fence.round(owned, isCareful: false)
            #expect(!outcome.given.isEmpty)
            try await fence.expectRefusal(of: owned, isCareful: isCareful, mayBeOfEvents: !isCareful)
            await fence.connection.close()
        }
    }

    @Test func `a worker that lives keeps its shards`() async throws {
        try await withTestDatabase { database in
            let fence = try await WorkerByHand(database)
            try await fence.beat(fence.worker)
            let owned = try await fence.claim(fence.worker)
            #expect(owned.count == fence.keys.count)
            #expect(try await fence.claim(UUID()).isEmpty)
            await fence.connection.close()
        }
    }

    @Test(arguments: ["-1 minute", "1 minute", "1 year"])
    func `a worker whose heartbeat is old, or of a clock that was set back since, is dead`(shift: String) async throws {
        try await withTestDatabase { database in
            let fence = try await WorkerByHand(database)
            try await fence.beat(fence.worker)
            #expect(try await fence.claim(fence.worker).count == fence.keys.count)
            try await fence.connection.run(
                unsafeSQL: "update projector_workers set heartbeat_at = heartbeat_at + interval '\(shift)'"
            )
            #expect(try await fence.connection.query(Lease.Living()).isEmpty)
            let status = try await fence.connection.query(ProjectionStatus.Select(until: nil))
            #expect(status.count == fence.keys.count && status.allSatisfy { $0.owner == nil })
            #expect(try await fence.claim(UUID()).count == fence.keys.count)
            // Its next heartbeat is of the clock as it is now.
            try await fence.beat(fence.worker)
            #expect(try await fence.connection.query(Lease.Living()).map(\.id) == [fence.worker])
            await fence.connection.close()
        }
    }

    @Test func `a shard that its living owner has forgotten, and that is another's by now, is given back`() async throws
    {
        try await withTestDatabase { database in
            let fence = try await WorkerByHand(database)
            let other = UUID()
            try await fence.beat(other)
            let fleet = fence.fleet()
            try await fleet.join()
            let id = fleet.members[0]
            // Claimed before an error, while nobody else was there.
            #expect(try await fence.claim(id).count == fence.keys.count)
            var worker = fence.worker(of: fleet)
            try await worker.settleOwnership(on: fence.connection)
            let wanted = [1, 4].map { ShardAssignment.shards(of: id, among: [id, other], count: $0) }
            let mine = fence.keys.filter { key in
                let isOne = fence.projections.contains { $0.id == key.projection && $0.mostShards == 1 }
                return wanted[isOne ? 0 : 1].contains(key.shard)
            }
            let held = try await fence.connection.text(
                unsafeSQL: "select projection, shard from projection_checkpoints where owner = '\(id)' order by 1, 2"
            )
            #expect(held == mine.sorted().map { [$0.projection.name, "\($0.shard)"] })
            #expect(try await fence.claim(other).count == fence.keys.count - mine.count)
            await fleet.leave()
            await fence.connection.close()
        }
    }
}

extension WorkerByHand {
    /// Expects that a round is refused and leaves nothing behind.
    ///
    /// - Parameter mayBeOfEvents: Whether a read model may refuse the events first; the worker then tries them with
    ///   care, and meets the fence.
    fileprivate func expectRefusal(
        of owned: [ProjectionShard: OwnedShard],
        isCareful: Bool,
        mayBeOfEvents: Bool = false
    ) async throws {
        let before = try await ReadModels(database: database).contents()
        do {
            _ = try await round(owned, isCareful: isCareful)
            Issue.record("a worker behind the times wrote")
        } catch let error as ProjectorError {
            #expect(error.code == .leaseLost)
        } catch let error as PostgresError where error.isEventsFault && mayBeOfEvents {
        }
        #expect(try await ReadModels(database: database).contents() == before)
    }
}
