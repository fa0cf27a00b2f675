internal import Foundation
package import Postgres

extension Migrator {
    /// Compares the schema with what the migrations and the installed projections make.
    ///
    /// They are run again, in a schema that is never committed, and the system catalogs of both are compared: tables,
    /// columns, constraints, indexes, triggers, functions, views, sequences, types and privileges. Nothing is changed.
    ///
    /// - Parameter projections: The files of all projections that may be installed; those of the program unless given.
    /// - Returns: What is wrong, each with code `.changedFile`, `.missingFile`, `.outOfOrder` or `.drift`; nothing if
    ///   all is well. Files are compared first: until they match, drift is not looked for.
    /// - Throws: ``SchemaError`` with `.failed` if the migrations do not run on an empty schema; `PostgresError`.
    package func verify(
        projections: [ProjectionFiles]? = nil,
        on connection: PostgresConnection
    ) async throws -> [SchemaError] {
        let migrations = try Migration.all(in: files)
        let projections = try projections ?? ProjectionFiles.all(in: files)
        return try await connection.rolledBackTransaction { connection in
            let statuses = try await statuses(migrations, on: connection)
            let problems = problems(statuses)
            let applied = Set(
                statuses.compactMap { status in
                    if case .applied = status.state { status.version } else { nil }
                }
            )
            guard problems.isEmpty, !applied.isEmpty else { return problems }
            return try await drift(
                migrations.filter { applied.contains($0.version) },
                projections: projections,
                on: connection
            )
        }
    }

    private func drift(
        _ migrations: [Migration],
        projections: [ProjectionFiles],
        on connection: isolated PostgresConnection
    ) async throws -> [SchemaError] {
        let installed = try await connection.query(ProjectionInstaller.SelectInstalled())
        let scratch = "recorder_verify_\(UUID().uuidString.prefix(8).lowercased())"
        let names = [schema, scratch]
        let real = try await SchemaDescription.of(schema, names: names, on: connection)
        try await rebuild(migrations, in: scratch, on: connection)
        var problems: [SchemaError] = []
        let installer = ProjectionInstaller(schema: scratch)
        for row in installed {
            guard let projection = projections.first(where: { $0.id == row.id }) else {
                problems.append(
                    SchemaError(
                        .missingFile,
                        "projection \(row.id) is installed, but \(files.origin) has no such files"
                    )
                )
                continue
            }
            if let change = try await change(of: projection, since: row, on: connection) { problems.append(change) }
            try await installer.run(projection.tableSQL, file: "table.sql", of: projection, on: connection)
            if row.isActive {
                try await installer.run(projection.viewSQL, file: "view.sql", of: projection, on: connection)
            }
        }
        let expected = try await SchemaDescription.of(scratch, names: names, on: connection)
        return problems
            + expected.differences(in: real).map {
                SchemaError(.drift, "schema \(schema) is not what its migrations make: \($0)")
            }
    }

    /// Runs migrations again in a schema of their own, which is the first in the search path from here on.
    private func rebuild(
        _ migrations: [Migration],
        in scratch: String,
        on connection: isolated PostgresConnection
    ) async throws {
        try await connection.run(unsafeSQL: "create schema \(scratch)")
        _ = try await connection.first(SetSearchPath(schemas: [scratch]))
        try await makeTables(in: scratch, on: connection)
        do {
            for migration in migrations { try await run(migration, .up, on: connection) }
        } catch let error as SchemaError where (error.cause as? PostgresError)?.isPermissionDenied == true {
            throw SchemaError(
                .failed,
                "this login cannot verify the schema: to compare, the migrations are run again beside it, which takes who ran "
                    + "them, or a superuser",
                cause: error
            )
        }
    }

    /// Which file of an installed projection is not the one that was installed, if one is not.
    private func change(
        of projection: ProjectionFiles,
        since installed: ProjectionInstaller.Installed,
        on connection: isolated PostgresConnection
    ) async throws -> SchemaError? {
        let checksums = try await connection.query(SelectChecksums(texts: [projection.tableSQL, projection.viewSQL]))
        if checksums[0] != installed.checksum {
            return SchemaError(
                .changedFile,
                "table.sql of projection \(projection.title) changed since its tables were made"
            )
        }
        if installed.isActive, checksums[1] != installed.viewChecksum {
            return SchemaError(
                .changedFile,
                "view.sql of projection \(projection.title) changed since its views were made"
            )
        }
        return nil
    }
}
