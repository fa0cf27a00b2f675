internal import EventStore
internal import Postgres
internal import Schema

/// A read model that is built beside the live one, in a schema of its own.
struct ShadowModel: Sendable {
    /// What becomes of it.
    enum Purpose: String, Sendable, CaseIterable {
        /// It takes the live tables' place.
        case rebuild
        /// It is compared with the live tables and dropped.
        case verify
    }

    let files: ProjectionFiles
    let purpose: Purpose
    /// The recorder's schema.
    let recorder: String
    /// The schema of the shadow.
    let schema: String

    init(_ files: ProjectionFiles, purpose: Purpose, recorder: String) {
        self.files = files
        self.purpose = purpose
        self.recorder = recorder
        schema = Self.schema("\(recorder)_\(purpose.rawValue)_\(files.name)_v\(files.version)")
    }

    /// The schema of the views over the live tables, made for the comparison.
    var liveViews: String { "\(schema)_live" }

    /// A schema name that the server does not truncate, even with `_live` appended.
    ///
    /// Source: PostgreSQL manual, 4.1.1 "Identifiers and Key Words": 63 bytes.
    private static func schema(_ name: String) -> String {
        guard name.utf8.count > 58 else { return name }
        return "\(name.prefix(40))_\(String(FNV1a64(name).value, radix: 36))"
    }

    /// Configures sessions to look up unqualified names in the shadows first, then in the recorder's schema.
    ///
    /// - Parameter models: Shadows of different projections, whose tables have different names.
    static func session(of models: [ShadowModel], _ configuration: PostgresConfiguration) -> PostgresConfiguration {
        var session = configuration
        session.schema = nil
        session.settings.merge(FoldSession.unlimited) { $1 }
        session.settings["search_path"] = (models.map(\.schema) + (models.first.map { [$0.recorder] } ?? []))
            .map(PostgresConfiguration.quotedIdentifier).joined(separator: ", ")
        return session
    }

    /// The schemas in which a session looks up names: those of its search path that exist.
    struct SelectSearched: PostgresStatement {
        let sql = "select unnest(current_schemas(false))::text"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }

    /// Makes the schema, its tables, and the partitions that the live tables have.
    ///
    /// - Parameter connection: In a transaction.
    /// - Throws: ``ProjectorError`` with `.invalidProjection` if table.sql fails; `PostgresError`.
    func create(on connection: isolated PostgresConnection) async throws {
        try await make(schema, on: connection)
        _ = try await connection.first(SetSearchPath(schemas: [schema, recorder]))
        do {
            try await connection.run(unsafeSQL: files.tableSQL)
        } catch let error as PostgresError where error.code == .server {
            throw ProjectorError(.invalidProjection, "table.sql of \(files.title) failed", cause: error)
        }
        let partitions = try await connection.query(CopyPartitions(live: recorder, shadow: schema)).joined()
        try await connection.run(unsafeSQL: partitions)
    }

    /// Creates the shadow's views over its own tables, and the live version's views over the live tables.
    ///
    /// - Parameter live: The version whose tables are compared.
    func createViews(live: ProjectionFiles, on connection: isolated PostgresConnection) async throws {
        try await make(liveViews, on: connection)
        _ = try await connection.first(SetSearchPath(schemas: [liveViews, recorder]))
        try await connection.run(unsafeSQL: live.viewSQL)
        _ = try await connection.first(SetSearchPath(schemas: [schema, recorder]))
        try await connection.run(unsafeSQL: files.viewSQL)
    }

    private func make(_ schema: String, on connection: isolated PostgresConnection) async throws {
        let name = PostgresConfiguration.quotedIdentifier(schema)
        try await connection.run(
            unsafeSQL: "create schema \(name); grant all on schema \(name) to recorder_owner, recorder_projector"
        )
    }

    /// Drops what ``createViews(live:on:)`` made.
    func dropViews(on connection: isolated PostgresConnection) async throws {
        let views = try await connection.query(SelectRelations(schema: schema, kinds: ["v"]))
        let names = views.map {
            "\(PostgresConfiguration.quotedIdentifier(schema)).\(PostgresConfiguration.quotedIdentifier($0))"
        }
        if !names.isEmpty {
            try await connection.run(unsafeSQL: "drop view \(names.joined(separator: ", ")) cascade")
        }
        let live = PostgresConfiguration.quotedIdentifier(liveViews)
        try await connection.run(unsafeSQL: "drop schema if exists \(live) cascade")
    }

    /// Removes every trace, in one transaction.
    ///
    /// - Returns: Whether there was anything to remove.
    @discardableResult
    func discard(on connection: PostgresConnection) async throws -> Bool {
        try await connection.transaction(retries: 10) { connection in
            _ = try await connection.first(SetSearchPath(schemas: [recorder]))
            // The rows first: this waits for a process that is building, which then finds nothing to go on with.
            let rows = try await connection.execute(ShadowCheckpoint.Delete(model: self))
            let tables = try await connection.query(SelectRelations(schema: schema, kinds: ["r", "p"]))
            let names = [schema, liveViews].map(PostgresConfiguration.quotedIdentifier)
            try await connection.run(unsafeSQL: "drop schema if exists \(names.joined(separator: ", ")) cascade")
            try await connection.execute(ForgetPartitions(tables: tables))
            return rows > 0 || !tables.isEmpty
        }
    }

    /// Statements that give the shadow's tables the partitions that tables of the same names have in the recorder's
    /// schema; where there is no such table, those from last month to next year that `time_partitions` asks for.
    private struct CopyPartitions: PostgresStatement {
        let live: String
        let shadow: String

        let sql = """
            with parents as (
                select shadow.oid, shadow.relname, shadow.relowner, live.oid as live
                from pg_class shadow
                left join pg_class live on live.relname = shadow.relname and live.relkind = 'p'
                    and live.relnamespace = (select oid from pg_namespace where nspname = $1)
                where shadow.relkind = 'p'
                    and shadow.relnamespace = (select oid from pg_namespace where nspname = $2)
            ), wanted(name, parent, owner, bound) as (
                select child.relname::text, parents.relname, relowner_of.rolname,
                    pg_get_expr(child.relpartbound, child.oid)
                from parents
                join pg_inherits on inhparent = parents.live
                join pg_class child on child.oid = inhrelid and child.relkind = 'r'
                join pg_roles relowner_of on relowner_of.oid = parents.relowner
                union all
                select parents.relname || to_char(since, case step when 'month' then '"_"YYYY_MM' else '"_"YYYY' end),
                    parents.relname, pg_get_userbyid(parents.relowner),
                    format('for values from (%L) to (%L)', since || ' UTC', since + ('1 ' || step)::interval || ' UTC')
                from parents
                join time_partitions on parent = parents.relname
                cross join lateral generate_series(
                    date_trunc(step, now() at time zone 'UTC' - interval '1 month'),
                    now() at time zone 'UTC' + interval '12 months', ('1 ' || step)::interval
                ) as since
                where parents.live is null
            )
            select format('create table %I.%I partition of %I.%I %s; alter table %I.%I owner to %I;',
                          $2::text, name, $2::text, parent, bound, $2::text, name, owner)
            from wanted
            where not exists (
                select from pg_class where relname = wanted.name
                    and relnamespace = (select oid from pg_namespace where nspname = $2)
            )
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(live)
            try parameters.append(shadow)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }
}
