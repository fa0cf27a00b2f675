import EventModel
import EventStore
import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Projector

/// What keeps a worker that is behind the times from writing.
@Suite struct WorkerFenceTests {
    /// One worker's state by hand, on a database with some sessions that nobody has projected.
    private struct Fence {
        let database: PostgresConfiguration
        let connection: PostgresConnection
        let projections: [Projection]
        let worker = UUID()

        init(_ database: PostgresConfiguration) async throws {
            self.database = database
            var configuration = database
            configuration.settings.merge(LogReader.sessionSettings) { given, _ in given }
            connection = try await PostgresConnection.connect(configuration)
            projections = try Projection.newest()
            try await ReadModels(database: database).append(ReadModels.simulated(sessions: 2, seed: 21))
            try await connection.execute(Checkpoint.Create(projections: projections, shards: 4))
        }

        var keys: [ProjectionShard] {
            projections.flatMap { projection in
                (0..<4).map { ProjectionShard(projection: projection.name, version: projection.version, shard: $0) }
            }
        }

        func claim(_ owner: UUID) async throws -> [ProjectionShard: OwnedShard] {
            let claimed = try await connection.query(Lease.Claim(owner: owner, wanted: keys))
            return Dictionary(uniqueKeysWithValues: claimed.map { ($0.key, OwnedShard($0, stopped: [])) })
        }

        func round(_ owned: [ProjectionShard: OwnedShard], isCareful: Bool) async throws -> WorkerRound.Outcome {
            let round = WorkerRound(
                owner: worker,
                projections: projections,
                decoder: EventDecoder(),
                batchSize: 1_000,
                haltsOnFailure: false,
                isCareful: isCareful
            )
            return try await connection.transaction(isolation: .repeatableRead) { connection in
                try await round.run(on: connection, owned: owned)
            }
        }

        /// Expects that a round is refused and leaves nothing behind.
        func expectRefusal(of owned: [ProjectionShard: OwnedShard], isCareful: Bool) async throws {
            let before = try await ReadModels(database: database).contents()
            do {
                _ = try await round(owned, isCareful: isCareful)
                Issue.record("a worker behind the times wrote")
            } catch let error as ProjectorError {
                #expect(error.code == .leaseLost)
            } catch let error as PostgresError where error.isEventsFault && !isCareful {
                // A read model refused the events first; the worker then tries them with care, and meets the fence.
            }
            #expect(try await ReadModels(database: database).contents() == before)
        }
    }

    @Test(arguments: [false, true])
    func `a worker whose shards were claimed by another writes nothing`(isCareful: Bool) async throws {
        try await withTestDatabase { database in
            let fence = try await Fence(database)
            let owned = try await fence.claim(fence.worker)
            #expect(try await fence.claim(UUID()).count == owned.count, "without a heartbeat a lease is void")
            try await fence.expectRefusal(of: owned, isCareful: isCareful)
            await fence.connection.close()
        }
    }

    @Test(arguments: [false, true])
    func `a lease of an earlier epoch is void even for its own worker`(isCareful: Bool) async throws {
        try await withTestDatabase { database in
            let fence = try await Fence(database)
            let owned = try await fence.claim(fence.worker)
            _ = try await fence.claim(fence.worker)
            try await fence.expectRefusal(of: owned, isCareful: isCareful)
            await fence.connection.close()
        }
    }

    @Test(arguments: [false, true])
    func `a batch that was committed cannot be applied again from where it began`(isCareful: Bool) async throws {
        try await withTestDatabase { database in
            let fence = try await Fence(database)
            let owned = try await fence.claim(fence.worker)
            let outcome = try await fence.round(owned, isCareful: false)
            #expect(outcome.events > 0)
            try await fence.expectRefusal(of: owned, isCareful: isCareful)
            await fence.connection.close()
        }
    }

    @Test func `a worker that lives keeps its shards`() async throws {
        try await withTestDatabase { database in
            let fence = try await Fence(database)
            try await fence.connection.execute(Lease.Heartbeat(workers: [fence.worker], process: "here:1"))
            let owned = try await fence.claim(fence.worker)
            #expect(owned.count == fence.keys.count)
            #expect(try await fence.claim(UUID()).isEmpty)
            await fence.connection.close()
        }
    }

    @Test func `a shard that its living owner has forgotten, and that is another's by now, is given back`() async throws
    {
        try await withTestDatabase { database in
            let fence = try await Fence(database)
            let other = UUID()
            try await fence.connection.execute(Lease.Heartbeat(workers: [other], process: "elsewhere:1"))
            let fleet = WorkerFleet(database, count: 1, logger: TestServer.logger)
            try await fleet.join()
            let id = fleet.members[0]
            // Claimed before an error, while nobody else was there.
            #expect(try await fence.claim(id).count == fence.keys.count)
            var worker = ProjectorWorker(
                id: id,
                configuration: database,
                projections: fence.projections,
                options: ProjectorOptions(),
                fleet: fleet,
                decoder: EventDecoder(),
                channel: "recorder_events",
                logger: TestServer.logger,
                progress: { _ in }
            )
            try await worker.settleOwnership(on: fence.connection)
            let wanted = ShardAssignment.shards(of: id, among: [id, other], count: 4)
            let held = try await fence.connection.text(
                unsafeSQL: "select distinct shard from projection_checkpoints where owner = '\(id)' order by 1"
            )
            #expect(held == wanted.sorted().map { ["\($0)"] })
            #expect(try await fence.claim(other).count == fence.projections.count * (4 - wanted.count))
            await fleet.leave()
            await fence.connection.close()
        }
    }
}
