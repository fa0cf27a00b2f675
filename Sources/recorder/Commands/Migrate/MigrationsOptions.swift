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
        let connection = try await PostgresConnection.connect(try settings.database(), logger: settings.logger)
        do {
            let result = try await body(migrator, connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}
