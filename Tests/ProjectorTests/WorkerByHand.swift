import EventStore
import Foundation
import Postgres
import RecorderTesting
import Schema
import Testing

@testable import Projector

/// One worker whose rounds a test runs by hand, on a database with some sessions that nobody has projected.
struct WorkerByHand {
    let database: PostgresConfiguration
    let connection: PostgresConnection
    let projections: [ProjectionFiles]
    let worker = UUID()
    private let rounds = Shared(0)

    /// - Parameter name: The only projection; all of them unless given.
    init(_ database: PostgresConfiguration, only name: String? = nil) async throws {
        self.database = database
        var configuration = database
        configuration.settings.merge(LogReader.sessionSettings) { given, _ in given }
        connection = try await PostgresConnection.connect(configuration)
        projections = try ProjectionFiles.newest(in: .embedded).filter { name == nil || $0.name == name }
        try await ReadModels(database: database).append(ReadModels.simulated(sessions: 2, seed: 21))
        try await connection.execute(Checkpoint.Create(projections: projections, shards: 4))
    }

    /// All shards: four of each projection, unless it says that it can have fewer.
    var keys: [ProjectionShard] {
        projections.flatMap { projection in
            (0..<min(4, projection.mostShards ?? 4)).map {
                ProjectionShard(projection: projection.id, shard: $0)
            }
        }
    }

    /// Lets a worker live whose program does not say what it works on.
    func beat(_ worker: UUID) async throws {
        try await connection.run(
            unsafeSQL: """
                insert into projector_workers (id, process) values ('\(worker)', 'elsewhere:1')
                on conflict (id) do update set heartbeat_at = clock_timestamp()
                """
        )
    }

    /// The workers of a process that has one, of these projections.
    func fleet() -> WorkerFleet {
        WorkerFleet(database, count: 1, projections: projections.map(\.id), logger: TestServer.logger)
    }

    /// The only worker of a fleet.
    func worker(of fleet: WorkerFleet, options: ProjectorOptions = ProjectorOptions()) -> ProjectorWorker {
        ProjectorWorker(
            id: fleet.members[0],
            configuration: database,
            projections: projections,
            options: options,
            fleet: fleet,
            decoder: EventDecoder(),
            channel: "recorder_events",
            logger: TestServer.silent,
            progress: { _ in }
        )
    }

    func claim(_ owner: UUID) async throws -> [ProjectionShard: OwnedShard] {
        let claimed = try await connection.query(Lease.Claim(owner: owner, wanted: keys))
        return Dictionary(uniqueKeysWithValues: claimed.map { ($0.key, OwnedShard($0, stopped: [])) })
    }

    /// One round; a test that runs rounds until all is read never needs as many as it refuses.
    func round(
        _ owned: [ProjectionShard: OwnedShard],
        isCareful: Bool = false,
        batchSize: Int = 1_000
    ) async throws -> WorkerRound.Outcome {
        try #require(rounds.add() <= 1_000, "the head of the log is not reached")
        let round = WorkerRound(
            owner: worker,
            plan: BatchPlan(projections),
            decoder: EventDecoder(),
            batchSize: batchSize,
            haltsOnFailure: false,
            isCareful: isCareful
        )
        return try await connection.transaction(isolation: .repeatableRead) { connection in
            try await round.run(on: connection, owned: owned)
        }
    }
}
