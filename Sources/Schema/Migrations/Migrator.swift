package import Foundation
package import Postgres

/// Runs migrations, each once and in a transaction of its own, even if several processes start them.
package struct Migrator: Sendable {
    /// The state of a migration.
    package enum State: Sendable, Hashable {
        case applied(Date)
        case pending
        /// Applied, but its file has changed since.
        case changed
        /// Applied, but there is no such file.
        case missing
        /// Not applied, and numbered below one that is.
        case outOfOrder
    }

    /// A migration and its state.
    package struct Status: Sendable, Hashable {
        package let version: Int
        package let name: String
        package let state: State
        /// The file's name without its ending, such as `0003_events`.
        package var title: String { Migration.title(version: version, name: name) }
    }

    /// The files that it runs.
    package let files: SQLFiles
    /// The schema in which unqualified names are looked up; created if it is missing.
    package let schema: String

    package init(files: SQLFiles = .embedded, schema: String = "recorder") {
        self.files = files
        self.schema = schema
    }

    /// Applies the pending migrations, in order.
    ///
    /// Several may do so at once: each migration is applied by one of them.
    ///
    /// - Parameters:
    ///   - version: The last one to apply; nil applies all.
    ///   - applied: Called for each as soon as it is committed.
    /// - Returns: Those that this call applied.
    /// - Throws: ``SchemaError`` with `.changedFile`, `.missingFile`, `.outOfOrder` or `.invalidFile` before anything
    ///   is done, `.failed` with the server's words, in which case that migration left nothing behind; `PostgresError`
    ///   if the connection breaks.
    package func up(
        on connection: PostgresConnection,
        to version: Int? = nil,
        each applied: (Migration) -> Void = { _ in }
    ) async throws -> [Migration] {
        let migrations = try Migration.all(in: files)
        if let version, !migrations.contains(where: { $0.version == version }) {
            throw SchemaError(.missingFile, "there is no migration \(version) in \(files.origin)")
        }
        try await refuseEncoding(on: connection)
        var done: [Migration] = []
        while true {
            let isFirst = done.isEmpty
            let migration = try await step(on: connection) { connection in
                let pending = try await check(migrations, on: connection).filter { $0.version <= version ?? .max }
                if isFirst { for migration in pending { try migration.refuseTransactions(in: .up) } }
                guard let next = pending.first else { return nil }
                try await run(next, .up, on: connection)
                try await connection.execute(InsertAppliedMigration(migration: next))
                return next
            }
            guard let migration else { return done }
            done.append(migration)
            applied(migration)
        }
    }

    /// Refuses a database that cannot hold every text, before any migration has run.
    private func refuseEncoding(on connection: PostgresConnection) async throws {
        let encoding = try await connection.firstColumn(unsafeSQL: "show server_encoding").first
        guard let encoding, encoding != "UTF8" else { return }
        throw SchemaError(
            .failed,
            "the database is encoded in \(encoding), which does not hold every text: make another by "
                + "`create database … encoding 'UTF8' template template0`. Nothing was migrated"
        )
    }

    /// Takes back the last applied migrations, the last one first.
    ///
    /// - Parameters:
    ///   - steps: How many.
    ///   - undone: Called for each as soon as that is committed.
    /// - Returns: Those that this call took back.
    /// - Throws: As ``up(on:to:each:)``; ``SchemaError`` with `.inUse` before anything
    ///   is done if projections stand in the way.
    package func down(
        on connection: PostgresConnection,
        steps: Int = 1,
        each undone: (Migration) -> Void = { _ in }
    ) async throws -> [Migration] {
        let migrations = try Migration.all(in: files)
        var done: [Migration] = []
        for left in stride(from: steps, to: 0, by: -1) {
            let migration = try await step(on: connection) { connection in
                _ = try await check(migrations, on: connection)
                let applied = try await connection.query(SelectAppliedMigrations())
                let next = applied.suffix(left).reversed().compactMap { row in
                    migrations.first { $0.version == row.version }
                }
                if left == steps {
                    for migration in next { try migration.refuseTransactions(in: .down) }
                    try await refuseBelowProjections(next, on: connection)
                }
                guard let last = next.first else { return nil }
                try await run(last, .down, on: connection)
                try await connection.execute(DeleteAppliedMigration(version: last.version))
                return last
            }
            guard let migration else { break }
            done.append(migration)
            undone(migration)
        }
        return done
    }

    /// Refuses to take back what the policies on projections' tables need while there are such tables.
    private func refuseBelowProjections(
        _ migrations: [Migration],
        on connection: isolated PostgresConnection
    ) async throws {
        guard let isolation = migrations.first(where: { $0.title == "0031_isolation" }) else { return }
        let installed = try await connection.query(ProjectionInstaller.SelectInstalled())
        guard !installed.isEmpty else { return }
        let names = installed.map(\.id.description).joined(separator: ", ")
        throw SchemaError(
            .inUse,
            "migration \(isolation.title) cannot be taken back while projections have tables in schema \(schema) (\(names)): "
                + "drop these tables and their views, and delete the rows of schema_projections and projection_checkpoints. "
                + "`recorder project` makes and fills them again after `recorder migrate up`"
        )
    }

    /// Every migration, applied or in the files, by number.
    package func status(on connection: PostgresConnection) async throws -> [Status] {
        let migrations = try Migration.all(in: files)
        return try await connection.transaction(readOnly: true) { connection in
            try await statuses(migrations, on: connection)
        }
    }

    /// What keeps the migrations from being run: files that were changed, are missing or out of order.
    func problems(_ statuses: [Status]) -> [SchemaError] {
        let newest = statuses.last { if case .applied = $0.state { true } else { false } }?.title ?? "none"
        return statuses.compactMap { status in
            switch status.state {
            case .applied, .pending: nil
            case .changed:
                SchemaError(
                    .changedFile,
                    "migration \(status.title) was applied to schema \(schema) and changed since (\(files.origin)): "
                        + "restore the file, and write what is new into a new migration"
                )
            case .missing:
                SchemaError(
                    .missingFile,
                    "migration \(status.title) was applied to schema \(schema), but \(files.origin) has no such file: "
                        + "is this program older than the schema?"
                )
            case .outOfOrder:
                SchemaError(
                    .outOfOrder,
                    "migration \(status.title) in \(files.origin) is not applied, but the later \(newest) is: give it a "
                        + "higher number"
                )
            }
        }
    }

    /// The state of each migration.
    ///
    /// - Parameter connection: In a transaction.
    func statuses(_ migrations: [Migration], on connection: isolated PostgresConnection) async throws -> [Status] {
        var applied: [Int: AppliedMigration] = [:]
        if try await connection.first(SelectHasMigrations(schema: schema)) == true {
            _ = try await connection.first(SetSearchPath(schemas: [schema]))
            for row in try await connection.query(SelectAppliedMigrations()) { applied[row.version] = row }
        }
        let last = applied.keys.max() ?? 0
        let checksums = try await connection.query(SelectChecksums(texts: migrations.map(\.up)))
        var statuses = zip(migrations, checksums).map { migration, checksum in
            guard let row = applied.removeValue(forKey: migration.version) else {
                let state = migration.version < last ? State.outOfOrder : .pending
                return Status(version: migration.version, name: migration.name, state: state)
            }
            let isSame = row.checksum == checksum && row.name == migration.name
            return Status(version: row.version, name: row.name, state: isSame ? .applied(row.appliedAt) : .changed)
        }
        statuses += applied.values.map { Status(version: $0.version, name: $0.name, state: .missing) }
        return statuses.sorted { $0.version < $1.version }
    }

    /// The pending migrations; throws if the files do not match what was applied.
    private func check(_ migrations: [Migration], on connection: isolated PostgresConnection) async throws
        -> [Migration]
    {
        let statuses = try await statuses(migrations, on: connection)
        if let problem = problems(statuses).first { throw problem }
        let pending = Set(statuses.filter { $0.state == .pending }.map(\.version))
        return migrations.filter { pending.contains($0.version) }
    }

    /// How long a step waits for a lock before it lets others go first, and how long it keeps trying.
    private static let lockTimeout = (once: Duration.seconds(1), altogether: Duration.seconds(60))

    /// Runs one step under the lock, in a transaction of its own.
    private func step(
        on connection: PostgresConnection,
        _ body: @Sendable (isolated PostgresConnection) async throws -> Migration?
    ) async throws -> Migration? {
        try await connection.transaction(givingWayFor: Self.lockTimeout.altogether) { connection in
            // Waits for another migrator, however long that takes.
            _ = try await connection.first(LockSchema(schema: schema))
            try await connection.limitLockWaits(to: Self.lockTimeout.once)
            try await refuseUntrusted(on: connection)
            if try await connection.first(SelectHasMigrations(schema: schema)) != true {
                // Only then: `if not exists` requires the privilege to create a schema even if it exists.
                if try await connection.first(SelectHasSchema(schema: schema)) != true {
                    let name = PostgresConfiguration.quotedIdentifier(schema)
                    try await connection.run(unsafeSQL: "create schema if not exists \(name)")
                }
                try await makeTables(in: schema, on: connection)
            }
            _ = try await connection.first(SetSearchPath(schemas: [schema]))
            return try await body(connection)
        }
    }

    /// Refuses a schema in which somebody else could have this login run their code: the migrations call functions by
    /// their short names, and the schema is searched too.
    ///
    /// - Throws: ``SchemaError`` with `.untrusted`.
    private func refuseUntrusted(on connection: isolated PostgresConnection) async throws {
        if try await connection.first(SelectHasMigrations(schema: schema)) != true,
            let owner = try await connection.first(SelectStrangeOwner(schema: schema))
        {
            throw SchemaError(
                .untrusted,
                "the schema \(schema) belongs to \(owner), who could change whatever is made in it: migrate as \(owner), or look "
                    + "into it and give it to the role that migrates, by alter schema … owner to"
            )
        }
        if let planted = try await connection.first(SelectPlanted(schema: schema)) {
            throw SchemaError(
                .untrusted,
                "\(planted.name) in the schema \(schema) has the name of one of PostgreSQL's own, is \(planted.owner)'s, and might "
                    + "be run in its place: drop it, and see how it came there"
            )
        }
    }

    /// Makes the tables that this target keeps in a schema.
    func makeTables(in schema: String, on connection: isolated PostgresConnection) async throws {
        let name = PostgresConfiguration.quotedIdentifier(schema)
        try await connection.run(
            unsafeSQL: """
                create table \(name).schema_migrations (
                    version int primary key,
                    name text not null,
                    checksum text not null,
                    applied_at timestamptz not null default clock_timestamp()
                );
                create table \(name).schema_projections (
                    name text,
                    version int,
                    checksum text not null,
                    view_checksum text,
                    installed_at timestamptz not null default clock_timestamp(),
                    primary key (name, version)
                );
                """
        )
    }

    /// Runs one of a migration's files in the open transaction.
    func run(
        _ migration: Migration,
        _ direction: Migration.Direction,
        on connection: isolated PostgresConnection
    ) async throws {
        try await connection.run(unsafeSQL: migration.script(direction), ofFile: migration.file(direction))
        guard !connection.isIdle else {
            throw SchemaError(
                .invalidFile,
                "\(migration.file(direction)) ends the transaction that it runs in: remove COMMIT and ROLLBACK from it, "
                    + "and look at what it left behind"
            )
        }
    }
}
