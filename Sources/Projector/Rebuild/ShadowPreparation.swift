internal import EventStore
internal import Postgres
internal import Schema

/// Finds a shadow that an earlier run began, or begins one.
struct ShadowPreparation: Sendable {
    let model: ShadowModel
    /// The version whose shards the shadow has.
    let live: ProjectionFiles

    /// What there is to go on with.
    struct Prepared: Sendable {
        let checkpoints: [ShadowCheckpoint]
        /// Whether an earlier run had begun it.
        let isResumed: Bool
    }

    /// Runs it.
    ///
    /// A shadow that other SQL was built with, or for another number of shards, is dropped.
    func run(on connection: PostgresConnection) async throws -> Prepared {
        try await Projector.checkLog(on: connection)
        _ = try await connection.first(SummarizeLog())
        let found = try await connection.query(ShadowCheckpoint.Load(model: model))
        let checksum = try await connection.first(ShadowCheckpoint.Checksum(model: model))
        let shards = try await connection.query(LiveCheckpoints.Select(projection: live)).first?.shards ?? 1
        if let first = found.first {
            if first.checksum == checksum, first.shards == shards, found.count == shards {
                return Prepared(checkpoints: found, isResumed: true)
            }
        }
        // Also what a crash between two versions of the program may have left.
        try await model.discard(on: connection)
        return try await connection.transaction { connection in
            try await model.create(on: connection)
            try await connection.execute(ShadowCheckpoint.Create(model: model, shards: shards))
            let checkpoints = try await connection.query(ShadowCheckpoint.Load(model: model))
            return Prepared(checkpoints: checkpoints, isResumed: false)
        }
    }
}
