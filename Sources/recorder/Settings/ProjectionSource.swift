import ArgumentParser
import Logging
import Postgres
import Schema

/// Where projections come from: those that the program carries, and those of a folder, which take precedence.
struct ProjectionSource: Sendable {
    /// A folder of further projections, if one was named.
    let folder: String?

    /// All versions of all projections.
    ///
    /// - Throws: `SchemaError` that names file and line.
    func files() throws -> [ProjectionFiles] {
        var all = try ProjectionFiles.all(in: .embedded)
        if let folder {
            let given = try ProjectionFiles.all(in: try SQLFiles(projections: folder))
            all.removeAll { file in given.contains { $0.title == file.title } }
            all += given
        }
        return all.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    }

    /// Makes the tables of projections that have none in any version, and returns the versions to project: all that
    /// have tables.
    ///
    /// A further version of a projection that has tables gets its own by `recorder projections rebuild`.
    ///
    /// - Parameter makingNew: Whether projections without tables get theirs.
    /// - Throws: `SchemaError`, in which case nothing was made, with `.outOfDate` if migrations are pending;
    ///   `PostgresError`.
    func installed(_ settings: Settings, makingNew: Bool = true) async throws -> [ProjectionFiles] {
        let files = try files()
        return try await withConnection(settings) { connection in
            let newer = try await Migrator(schema: settings.schema).refuseOlderSchema(on: connection)
            if !newer.isEmpty {
                settings.logger.warning(
                    "this program is older than the schema: run the newer one everywhere",
                    metadata: ["unknown": .array(newer.map { "\($0)" })]
                )
            }
            let installer = ProjectionInstaller(schema: settings.schema)
            let installed = try await installer.installed(on: connection)
            let (names, ids) = (Set(installed.map(\.id.name)), Set(installed.map(\.id)))
            let newest = Dictionary(files.map { ($0.name, $0) }) { $1 }
            let present = files.filter { file in
                ids.contains(file.id) || makingNew && !names.contains(file.name) && newest[file.name] == file
            }
            // Views change in place when their text does.
            try await installer.install(present, on: connection)
            return present
        }
    }

    /// The titles of the versions that ``installed(_:)`` would return, without making anything.
    func installedTitles(_ settings: Settings) async throws -> Set<String> {
        let files = Set(try files().map(\.title))
        return try await withConnection(settings) { connection in
            let installed = try await ProjectionInstaller(schema: settings.schema).installed(on: connection)
            return Set(installed.map(\.id.description)).intersection(files)
        }
    }

    private func withConnection<R: Sendable>(
        _ settings: Settings,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await PostgresConnection.with(try settings.database(), logger: settings.logger, body)
    }
}

/// The flag that names a ``ProjectionSource``.
struct ProjectionSourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A folder of further projections, <name>/v<number>/.", valueName: "folder"),
        completion: .directory
    )
    var projections: String?

    /// The source that the flag names.
    var source: ProjectionSource { ProjectionSource(folder: projections) }
}
