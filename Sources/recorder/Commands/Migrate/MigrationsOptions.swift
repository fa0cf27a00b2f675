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

    /// Opens a connection and a migrator while `body` runs. SIGINT and SIGTERM cancel the command meanwhile.
    func withMigrator<R>(
        _ settings: Settings,
        _ body: (Migrator, PostgresConnection) async throws -> R
    ) async throws -> R {
        let sources = try migrations.map { path throws(SchemaError) in try SQLFiles(directory: path) } ?? .embedded
        let migrator = Migrator(files: sources, schema: settings.schema)
        let database = try settings.database()
        return try await RunningCommand.cancelledBySignals {
            try await PostgresConnection.with(database, logger: settings.logger) { connection in
                try await body(migrator, connection)
            }
        }
    }
}
