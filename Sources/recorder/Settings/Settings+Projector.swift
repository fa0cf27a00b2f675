import Postgres
import Projector
import Schema

extension Settings {
    /// A projector of these versions, whose tables must exist.
    ///
    /// - Throws: ``CommandError`` with code `.setting` if there is no database.
    func projector(of files: [ProjectionFiles], _ options: ProjectorOptions = ProjectorOptions()) throws -> Projector {
        Projector(
            try database(),
            projections: files,
            keys: keys,
            options: options,
            logger: logger
        )
    }

    /// A projector of the projections that the program carries; makes their tables if they have none yet.
    ///
    /// - Throws: As ``projector(of:_:)``; `SchemaError`; `PostgresError`.
    func projector(_ options: ProjectorOptions = ProjectorOptions()) async throws -> Projector {
        try projector(of: try await ProjectionSource(folder: nil).installed(self), options)
    }
}
