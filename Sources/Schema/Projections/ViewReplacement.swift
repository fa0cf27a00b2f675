internal import Postgres

/// Replaces a projection's views with those of another `view.sql`, and keeps the views that read them, the owners and
/// the grants.
///
/// `create or replace view` does it if columns are only added. If one is renamed, removed or gets another type, the
/// views and all views that read them are dropped and made anew in the same transaction.
///
/// Source: PostgreSQL manual, "CREATE VIEW".
struct ViewReplacement {
    let projection: ProjectionFiles
    let schema: String

    /// Runs `view.sql`.
    ///
    /// - Parameter connection: In a transaction whose search path is the schema.
    /// - Throws: ``SchemaError`` with `.inUse` if something other than a view depends on a view that has to be dropped,
    ///   or a view outside the projection does not fit the new ones; `.failed`.
    func run(on connection: isolated PostgresConnection) async throws {
        let installer = ProjectionInstaller(schema: schema)
        do {
            try await connection.savepoint { connection in
                try await installer.run(projection.viewSQL, file: "view.sql", of: projection, on: connection)
            }
        } catch let error as SchemaError {
            guard (error.cause as? PostgresError)?.sqlState == Self.invalidTableDefinition else { throw error }
            let views = try await ProjectionRelations.views(of: projection, in: schema, on: connection)
            try await remake(views, by: installer, on: connection)
        }
    }

    /// The SQLSTATE with which `create or replace view` fails if it cannot replace.
    private static let invalidTableDefinition = "42P16"

    private func remake(
        _ views: [String],
        by installer: ProjectionInstaller,
        on connection: isolated PostgresConnection
    ) async throws {
        let all = try await connection.query(SelectDependents(schema: schema, views: views))
        do {
            for view in all.reversed() { try await connection.run(unsafeSQL: "drop \(view.kind) \(view.name)") }
            try await installer.run(projection.viewSQL, file: "view.sql", of: projection, on: connection)
            for view in all where !view.isOwn {
                try await connection.run(
                    unsafeSQL: "create \(view.kind) \(view.name)\(view.options) as \(view.definition)"
                )
            }
            for view in all { try await connection.run(unsafeSQL: view.rights) }
        } catch let error as PostgresError where error.code == .server {
            throw SchemaError(
                .inUse,
                "the views of \(projection.title) have other columns than those that they replace, and what depends on "
                    + "those stands in the way: \(error). \(error.detail ?? "")",
                cause: error
            )
        }
    }

    /// A view that has to be dropped, and what it takes to make it again.
    private struct Dependent: Sendable {
        let name: String
        let kind: String
        /// Whether it is one of the projection's.
        let isOwn: Bool
        let definition: String
        /// `with (…)`, such as `security_invoker`: making the view again must not widen what it shows.
        let options: String
        /// Statements that give it its owner and its grants back.
        let rights: String
    }

    /// Some views of a schema and all views that read them, each after those that it reads.
    private struct SelectDependents: PostgresStatement {
        let schema: String
        let views: [String]

        let sql = """
            with recursive found(oid, depth) as (
                select oid, 0 from pg_class
                where relnamespace = (select oid from pg_namespace where nspname = $1) and relname = any($2)
                    and relkind in ('v', 'm')
                union
                select rule.ev_class, found.depth + 1
                from found
                join pg_depend depend on depend.refclassid = 'pg_class'::regclass and depend.refobjid = found.oid
                    and depend.classid = 'pg_rewrite'::regclass
                join pg_rewrite rule on rule.oid = depend.objid and rule.ev_class <> found.oid
                where found.depth < 50
            )
            select class.oid::regclass::text, case class.relkind when 'm' then 'materialized view' else 'view' end,
                max(depth) = 0, pg_get_viewdef(class.oid),
                format('alter %s %s owner to %I;', case class.relkind when 'm' then 'materialized view' else 'view' end,
                       class.oid::regclass, pg_get_userbyid(class.relowner))
                || coalesce((
                    select string_agg(format('grant %s on %s to %s%s;', privilege_type, class.oid::regclass,
                                             case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                                             case when is_grantable then ' with grant option' else '' end), '')
                    from aclexplode(class.relacl) where grantee <> class.relowner
                ), ''),
                coalesce(' with (' || array_to_string(class.reloptions, ', ') || ')', '')
            from found
            join pg_class class using (oid)
            group by class.oid, class.relkind, class.relowner, class.relacl, class.reloptions
            order by max(depth), class.oid
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(schema)
            try parameters.append(views)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Dependent {
            Dependent(
                name: try row.decode(at: 0),
                kind: try row.decode(at: 1),
                isOwn: try row.decode(at: 2),
                definition: try row.decode(at: 3),
                options: try row.decode(at: 5),
                rights: try row.decode(at: 4)
            )
        }
    }
}
