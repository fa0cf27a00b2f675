internal import Postgres
internal import Schema

/// Prepares rebuilds: finds the live version to compare with, and the shadow to resume, or begins a new one.
struct RebuildPreparation: Sendable {
    /// All versions of all projections.
    private let all: [ProjectionFiles]
    /// The recorder's schema.
    private let schema: String
    private var shadows: ShadowPreparation

    /// - Parameters:
    ///   - all: All versions of all projections.
    ///   - schema: The recorder's schema.
    /// - Throws: As ``ShadowPreparation/init(on:)``.
    init(all: [ProjectionFiles], schema: String, on connection: PostgresConnection) async throws {
        self.all = all
        self.schema = schema
        shadows = try await ShadowPreparation(on: connection)
    }

    /// Prepares one shadow.
    mutating func run(_ model: ShadowModel, on connection: PostgresConnection) async throws -> PreparedRebuild {
        let files = model.files
        let installed = try await ProjectionInstaller(schema: schema).installed(on: connection)
            .filter { $0.id.name == files.name }
        // The version itself if it is installed, else the active one.
        let own = installed.first { $0.id == files.id }
        let liveVersion = own ?? installed.first(where: \.isActive)
        let live = try liveVersion.map { try all.version($0.id.version, of: files.name) }
        let prepared = try await shadows.run(model, live: live ?? files, on: connection)
        let isLive = try await !connection.query(LiveCheckpoints.Select(projection: live ?? files)).isEmpty
        let isCompared = prepared.checkpoints.contains { $0.differences != nil }
        return PreparedRebuild(
            model: model,
            checkpoints: prepared.checkpoints,
            isResumed: prepared.isResumed,
            compared: isLive && !isCompared ? live : nil,
            isActive: own?.isActive ?? true
        )
    }
}
