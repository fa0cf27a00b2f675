internal import EventStore
package import Postgres
package import Schema

/// Versions of a projection side by side: which one is read, and which ones are no longer wanted.
package struct ProjectionAdministration: Sendable {
    private let configuration: PostgresConfiguration
    private let schema: String
    private let all: [ProjectionFiles]

    /// - Parameters:
    ///   - all: All versions of all projections.
    ///   - configuration: The database, with the recorder's schema.
    package init(among all: [ProjectionFiles], configuration: PostgresConfiguration) {
        self.all = all
        self.configuration = configuration
        schema = configuration.recorderSchema
    }

    /// Makes the views read a version, in one transaction. The others stay as they are, and can be switched back to.
    ///
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if there is no such version, `.notBuilt` if it was never
    ///   brought to the head; `SchemaError` with `.missingFile` if it has no tables, `.inUse`.
    package func activate(_ name: String, version: Int) async throws {
        let projection = try all.version(version, of: name)
        try await withConnection { connection in
            let live = try await connection.query(LiveCheckpoints.Select(projection: projection))
            guard !live.contains(where: { $0.cursor.delivered == .beginning }) else {
                throw ProjectorError(
                    .notBuilt,
                    "\(projection.title) is not built to the head yet: its readers would see half of it. Wait for "
                        + "`recorder project`, or run `recorder projections rebuild \(name) --version \(version)`"
                )
            }
            try await ProjectionInstaller(schema: schema).activate(projection, among: all, on: connection)
        }
    }

    /// Drops the tables and checkpoints of a version.
    ///
    /// - Parameter withViews: Whether to drop the views too if they read it, which ends the projection.
    /// - Throws: ``ProjectorError`` with `.invalidProjection`; `SchemaError` with `.inUse` if it is read and the views
    ///   stay, `.missingFile` if it has no tables; a `PostgresError` with `isLockTimeout` if readers or workers held
    ///   their locks for a minute. Nothing was dropped then.
    package func drop(_ name: String, version: Int, withViews: Bool = false) async throws {
        let projection = try all.version(version, of: name)
        try await withConnection { connection in
            let installer = ProjectionInstaller(schema: schema)
            try await installer.change(on: connection) { connection in
                // The checkpoints first, as workers do: this waits for the workers, which then find nothing to go on
                // with.
                try await connection.execute(LiveCheckpoints.Delete(projection: projection))
                try await installer.drop(projection, withViews: withViews, on: connection)
            }
            for purpose in ShadowModel.Purpose.allCases {
                try await ShadowModel(projection, purpose: purpose, recorder: schema).discard(on: connection)
            }
        }
    }

    private func withConnection(_ body: (PostgresConnection) async throws -> Void) async throws {
        var session = configuration
        session.schema = schema
        try await PostgresConnection.with(session, body)
    }
}
