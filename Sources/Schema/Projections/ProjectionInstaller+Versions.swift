package import Postgres

/// Versions of a projection side by side: which one the views read, and what becomes of the others.
extension ProjectionInstaller {
    /// Makes the views read a version, in one transaction: readers see the old version or the new one.
    ///
    /// Views that only the previous version had are dropped, if nothing depends on them.
    ///
    /// - Parameters:
    ///   - projection: The version, which has its tables.
    ///   - files: All versions, to find the views of the previous one.
    /// - Throws: ``SchemaError`` with `.missingFile` if the version has no tables, `.inUse` if something that depends
    ///   on the views stands in the way, `.failed`.
    package func activate(
        _ projection: ProjectionFiles,
        among files: [ProjectionFiles],
        on connection: PostgresConnection
    ) async throws {
        try await change(on: connection) { connection in
            let installed = try await connection.query(SelectInstalled())
            guard installed.contains(where: { $0.id == projection.id }) else {
                throw SchemaError(
                    .missingFile,
                    "\(projection.title) has no tables yet: run `recorder projections rebuild \(projection.name) --version "
                        + "\(projection.version)`"
                )
            }
            try await replaceViews(by: projection, among: files, on: connection)
        }
    }

    /// Drops the tables of a version.
    ///
    /// - Parameters:
    ///   - withViews: Whether the views go too, if they read it.
    ///   - connection: In a transaction of ``change(on:_:)``.
    /// - Throws: ``SchemaError`` with `.inUse` if the views read it and stay, or something else depends on it.
    package func drop(
        _ projection: ProjectionFiles,
        withViews: Bool,
        on connection: isolated PostgresConnection
    ) async throws {
        let installed = try await connection.query(SelectInstalled())
        let own = installed.first { $0.id == projection.id }
        guard let own else {
            throw SchemaError(.missingFile, "\(projection.title) has no tables: there is nothing to drop")
        }
        if own.isActive {
            guard withViews else {
                throw SchemaError(
                    .inUse,
                    "the views read \(projection.title): activate another version first, `recorder projections activate "
                        + "\(projection.name) --version …`, or drop it with its views, `--with-views`"
                )
            }
            let views = try await ProjectionRelations.views(of: projection, in: schema, on: connection)
            let names = views.map { "\(Self.quoted(schema)).\(Self.quoted($0))" }.joined(separator: ", ")
            if !views.isEmpty { try await drop(unsafeSQL: "view \(names)", of: projection, on: connection) }
        }
        let tables = try await ProjectionRelations.tables(of: projection, in: schema, on: connection)
        try await dropTables(tables, in: schema, of: projection, on: connection)
        try await connection.execute(ForgetPartitions(tables: tables))
        try await connection.execute(DeleteInstalled(projection: projection))
    }

    /// The tables that a version's `table.sql` makes; partitions are not among them.
    ///
    /// - Throws: ``SchemaError`` with `.failed`.
    package func tables(of projection: ProjectionFiles, on connection: PostgresConnection) async throws -> [String] {
        try await connection.transaction { connection in
            _ = try await connection.first(SetSearchPath(schemas: [schema]))
            return try await ProjectionRelations.tables(of: projection, in: schema, on: connection)
        }
    }

    /// Waits until nobody else installs or migrates, and keeps others waiting until the transaction ends.
    package func lock(on connection: isolated PostgresConnection) async throws {
        _ = try await connection.first(LockSchema(schema: schema))
    }

    /// Replaces the live tables, which are dropped, with those of a shadow, and makes the views read them if asked to.
    ///
    /// New readers wait until the transaction ends, and it waits for those under way: set `lock_timeout` before.
    ///
    /// - Parameters:
    ///   - projection: The version whose tables the shadow holds.
    ///   - shadow: The schema that holds them and nothing else; it is dropped.
    ///   - isActive: Whether the views are to read the version.
    ///   - files: All versions.
    ///   - connection: In a transaction.
    /// - Throws: ``SchemaError`` with `.inUse` if anything but the projection's views depends on the live tables.
    package func exchange(
        _ projection: ProjectionFiles,
        with shadow: String,
        isActive: Bool,
        among files: [ProjectionFiles],
        on connection: isolated PostgresConnection
    ) async throws {
        let replaced = "\(shadow)_old"
        _ = try await connection.first(SetSearchPath(schemas: [schema]))
        let tables = try await connection.query(SelectRelations(schema: shadow, kinds: ["r", "p"]))
        let live = Set(try await connection.query(SelectRelations(schema: schema, kinds: ["r", "p"])))
        let old = tables.filter(live.contains)
        try await lockReaders(of: projection, tables: old, isActive: isActive, on: connection)
        var script = "create schema \(Self.quoted(replaced));\n"
        script += try await connection.query(CopyGrants(from: schema, to: shadow, tables: old)).joined()
        script += try await connection.query(MoveTables(from: schema, to: replaced, tables: old)).joined()
        script += try await connection.query(MoveTables(from: shadow, to: schema, tables: tables)).joined()
        try await connection.run(unsafeSQL: script)
        if isActive {
            try await replaceViews(by: projection, among: files, on: connection)
        } else {
            let checksums = try await connection.query(SelectChecksums(texts: [projection.tableSQL]))
            try await connection.execute(SetInstalled(projection: projection, checksum: checksums[0]))
        }
        try await dropTables(old, in: replaced, of: projection, on: connection)
        try await connection.run(
            unsafeSQL: "drop schema \(Self.quoted(replaced)); drop schema \(Self.quoted(shadow))"
        )
    }

    /// Makes readers of the views or the tables wait from here on. Views come first, as they do for readers.
    private func lockReaders(
        of projection: ProjectionFiles,
        tables: [String],
        isActive: Bool,
        on connection: isolated PostgresConnection
    ) async throws {
        guard !tables.isEmpty else { return }
        var locked: [String] = []
        if isActive {
            let views = Set(try await connection.query(SelectRelations(schema: schema, kinds: ["v"])))
            locked = try await ProjectionRelations.views(of: projection, in: schema, on: connection)
                .filter(views.contains)
        }
        let names = (locked + tables).map { "\(Self.quoted(schema)).\(Self.quoted($0))" }
        try await connection.run(unsafeSQL: "lock table \(names.joined(separator: ", ")) in access exclusive mode")
    }

    /// Makes the views read a version, and records that they do.
    ///
    /// - Parameter connection: In a transaction whose search path is the schema.
    private func replaceViews(
        by projection: ProjectionFiles,
        among files: [ProjectionFiles],
        on connection: isolated PostgresConnection
    ) async throws {
        let installed = try await connection.query(SelectInstalled())
        let before = installed.first { $0.id.name == projection.name && $0.isActive }
        var obsolete: [String] = []
        if let before, before.id != projection.id, let old = files.first(where: { $0.id == before.id }) {
            let kept = Set(try await ProjectionRelations.views(of: projection, in: schema, on: connection))
            obsolete = try await ProjectionRelations.views(of: old, in: schema, on: connection)
                .filter { !kept.contains($0) }
        }
        try await ViewReplacement(projection: projection, schema: schema).run(on: connection)
        if !obsolete.isEmpty {
            let names = obsolete.map(Self.quoted).joined(separator: ", ")
            try await drop(unsafeSQL: "view if exists \(names)", of: projection, on: connection)
        }
        let checksums = try await connection.query(SelectChecksums(texts: [projection.tableSQL, projection.viewSQL]))
        try await connection.execute(
            SetInstalled(projection: projection, checksum: checksums[0], viewChecksum: checksums[1])
        )
    }

    private func dropTables(
        _ tables: [String],
        in schema: String,
        of projection: ProjectionFiles,
        on connection: isolated PostgresConnection
    ) async throws {
        guard !tables.isEmpty else { return }
        let names = tables.map { "\(Self.quoted(schema)).\(Self.quoted($0))" }.joined(separator: ", ")
        try await drop(unsafeSQL: "table if exists \(names)", of: projection, on: connection)
    }

    /// Drops something; a failure says what depends on it.
    private func drop(
        unsafeSQL what: String,
        of projection: ProjectionFiles,
        on connection: isolated PostgresConnection
    ) async throws {
        do {
            try await connection.run(unsafeSQL: "drop \(what)")
        } catch let error as PostgresError where error.sqlState == "2BP01" {
            throw SchemaError(
                .inUse,
                "what \(projection.title) replaces or leaves is still in use: \(error.detail ?? error.message)",
                cause: error
            )
        }
    }

    private static func quoted(_ name: String) -> String { PostgresConfiguration.quotedIdentifier(name) }
}
