internal import EventStore
internal import Postgres
internal import Schema

/// Finds shadows that an earlier run began, or begins them.
struct ShadowPreparation: Sendable {
    /// How many events of each type the log holds; `nil` until a shadow is begun.
    private var counts: [(type: String, count: Int64)]?

    /// Has a look at the log.
    ///
    /// - Throws: ``ProjectorError`` with `.restoredLog`; `PostgresError`.
    init(on connection: PostgresConnection) async throws {
        try await Projector.checkLog(on: connection)
        _ = try await connection.first(SummarizeLog())
    }

    /// Prepares a shadow.
    ///
    /// Drops a shadow that was built with other SQL, with other prices or for another number of shards, and the remains
    /// of one whose tables are gone, as a dump of the recorder's schema alone leaves them.
    ///
    /// - Parameter live: The version whose number of shards the shadow takes.
    mutating func run(
        _ model: ShadowModel,
        live: ProjectionFiles,
        on connection: PostgresConnection
    ) async throws -> PreparedShadow {
        let found = try await connection.query(ShadowCheckpoint.Load(model: model))
        let checksum = try await connection.first(ShadowCheckpoint.Checksum(model: model))
        let liveShards = try await connection.query(LiveCheckpoints.Select(projection: live)).first?.shards
        // Without live checkpoints, the number that a projector would choose.
        let shards = liveShards ?? min(ProjectorOptions().shards, model.files.mostShards ?? .max)
        if let first = found.first {
            let tables = try await connection.query(SelectRelations(schema: model.schema, kinds: ["r", "p"]))
            if first.checksum == checksum, first.shards == shards, found.count == shards, !tables.isEmpty {
                return PreparedShadow(checkpoints: found, isResumed: true)
            }
        }
        // Also removes what a crash between two versions of the program may have left.
        try await model.discard(on: connection)
        if counts == nil { counts = try await connection.query(ShadowCheckpoint.CountTypes()) }
        let total = (counts ?? []).reduce(0) { sum, type in
            model.files.handles.contains { ProjectionFiles.covers($0, type.type) } ? sum + type.count : sum
        }
        return try await connection.transaction { connection in
            try await model.create(on: connection)
            try await connection.execute(ShadowCheckpoint.Create(model: model, shards: shards, total: total))
            let checkpoints = try await connection.query(ShadowCheckpoint.Load(model: model))
            return PreparedShadow(checkpoints: checkpoints, isResumed: false)
        }
    }
}
