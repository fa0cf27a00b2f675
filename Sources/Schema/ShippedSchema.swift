package import Postgres

/// What the program carries: migrations and projections.
package enum ShippedSchema {
    /// Applies all migrations, and makes the tables and views of each projection's newest version.
    ///
    /// - Throws: As ``Migrator/up(on:to:each:)`` and ``ProjectionInstaller/install(_:on:)-(ProjectionFiles,_)``.
    package static func install(on connection: PostgresConnection) async throws {
        _ = try await Migrator().up(on: connection)
        try await ProjectionInstaller().install(try ProjectionFiles.newest(in: .embedded), on: connection)
    }
}
