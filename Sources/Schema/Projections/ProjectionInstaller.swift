package import Postgres

/// Makes the tables and views of projections. Which events they have seen is the projector's business.
package struct ProjectionInstaller: Sendable {
    /// A projection's version that has its tables.
    package struct Installed: Sendable, Hashable {
        package let id: ProjectionVersion
        /// Whether the views read this version.
        package let isActive: Bool
        /// SHA-256 of `table.sql`, in hexadecimal.
        let checksum: String
        let viewChecksum: String?
    }

    /// The schema that holds the tables.
    package let schema: String

    package init(schema: String = "recorder") { self.schema = schema }

    /// Makes the tables of a projection unless they exist, and its views unless another version has them or their text
    /// is unchanged.
    ///
    /// Several may do so at once. The migrations must have been applied.
    ///
    /// - Returns: Whether its tables were made by this call.
    /// - Throws: ``SchemaError`` with `.changedFile` if `table.sql` changed since it was run, `.failed` with the
    ///   server's words; as ``change(on:_:)`` if readers stay in the way of a view.
    @discardableResult
    package func install(_ projection: ProjectionFiles, on connection: PostgresConnection) async throws -> Bool {
        try await install([projection], on: connection) == [projection]
    }

    /// Makes the tables and views of several, all or none; see ``install(_:on:)-(ProjectionFiles,_)``.
    ///
    /// - Returns: Those whose tables were made by this call.
    @discardableResult
    package func install(
        _ projections: [ProjectionFiles],
        on connection: PostgresConnection
    ) async throws -> [ProjectionFiles] {
        try await change(on: connection) { connection in
            var made: [ProjectionFiles] = []
            for projection in projections where try await put(projection, on: connection) { made.append(projection) }
            return made
        }
    }

    /// Changes tables and views that others use, in a transaction whose search path is the schema, while nobody else
    /// installs or migrates.
    ///
    /// Whoever comes later waits behind a request for a lock, so it lets those go first who hold what it needs.
    ///
    /// - Parameter body: The work; it may run several times.
    /// - Throws: What `body` throws; a `PostgresError` with `isLockTimeout` if others held the locks for a minute.
    package func change<R: Sendable>(
        on connection: PostgresConnection,
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        try await connection.transaction(givingWayFor: .seconds(60)) { connection in
            // Waits for another who installs or migrates, however long that takes.
            _ = try await connection.first(LockSchema(schema: schema))
            try await connection.limitLockWaits(to: .milliseconds(300))
            _ = try await connection.first(SetSearchPath(schemas: [schema]))
            return try await body(connection)
        }
    }

    private func put(_ projection: ProjectionFiles, on connection: isolated PostgresConnection) async throws -> Bool {
        let installed = try await connection.query(SelectInstalled()).filter { $0.id.name == projection.name }
        let checksums = try await connection.query(SelectChecksums(texts: [projection.tableSQL, projection.viewSQL]))
        let own = installed.first { $0.id == projection.id }
        if let own, own.checksum != checksums[0] {
            throw SchemaError(
                .changedFile,
                "table.sql of projection \(projection.title) changed since its tables were made: restore it, and make "
                    + "a version \(projection.version + 1) with what is new"
            )
        }
        if own == nil {
            try await run(projection.tableSQL, file: "table.sql", of: projection, on: connection)
        }
        // Another version's views stay until the new one has caught up.
        let isActive = own?.isActive ?? !installed.contains(where: \.isActive)
        if isActive, own?.viewChecksum != checksums[1] {
            try await run(projection.viewSQL, file: "view.sql", of: projection, on: connection)
        }
        try await connection.execute(
            SetInstalled(
                projection: projection,
                checksum: checksums[0],
                viewChecksum: isActive ? checksums[1] : nil
            )
        )
        return own == nil
    }

    /// The projections that have tables, by name and version.
    package func installed(on connection: PostgresConnection) async throws -> [Installed] {
        try await connection.transaction(readOnly: true) { connection in
            _ = try await connection.first(SetSearchPath(schemas: [schema]))
            return try await connection.query(SelectInstalled())
        }
    }

    /// Runs a file in the open transaction.
    func run(
        _ script: String,
        file: String,
        of projection: ProjectionFiles,
        on connection: isolated PostgresConnection
    ) async throws {
        try await connection.run(unsafeSQL: script, ofFile: "\(projection.folder)/\(file)")
    }

    /// The rows of `schema_projections`.
    struct SelectInstalled: PostgresStatement {
        let sql = "select name, version, checksum, view_checksum from schema_projections order by name, version"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Installed {
            let viewChecksum = try row.decode(String?.self, at: 3)
            return Installed(
                id: try ProjectionVersion(row),
                isActive: viewChecksum != nil,
                checksum: try row.decode(at: 2),
                viewChecksum: viewChecksum
            )
        }
    }
}
