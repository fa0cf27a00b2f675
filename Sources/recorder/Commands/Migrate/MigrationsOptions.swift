import ArgumentParser
import Postgres
import Schema

/// Where the migrations come from.
struct MigrationsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A folder of migrations, or one that holds migrations/.", valueName: "folder"),
        completion: .directory
    )
    var migrations: String?

    /// Opens a connection and a migrator while `body` runs.
    func withMigrator<R>(
        _ settings: Settings,
        _ body: (Migrator, PostgresConnection) async throws -> R
    ) async throws -> R {
        let sources = try migrations.map { path throws(SchemaError) in try SQLFiles(directory: path) } ?? .embedded
        let migrator = Migrator(files: sources, schema: settings.schema)
        return try await PostgresConnection.with(try settings.database(), logger: settings.logger) { connection in
            try await body(migrator, connection)
        }
    }
}
