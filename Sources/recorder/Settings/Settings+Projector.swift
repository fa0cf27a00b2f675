import Postgres
import Projector
import Schema

extension Settings {
    /// Makes the tables of the projections that have none yet, and a projector for all of them.
    ///
    /// - Throws: ``CommandError`` with code `.setting` if there is no database; `SchemaError`; `ProjectorError` if a
    ///   folder breaks the contract; `PostgresError`.
    func projector(_ options: ProjectorOptions = ProjectorOptions()) async throws -> Projector {
        let files = try ProjectionFiles.newest(in: .embedded)
        let database = try database()
        let connection = try await PostgresConnection.connect(database, logger: logger)
        do {
            let installer = ProjectionInstaller(schema: schema)
            for projection in files { try await installer.install(projection, on: connection) }
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
        return Projector(
            database,
            projections: try files.map { try Projection($0) },
            options: options,
            logger: logger
        )
    }
}
