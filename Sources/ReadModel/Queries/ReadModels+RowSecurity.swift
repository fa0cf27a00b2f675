internal import Postgres

extension ReadModels {
    /// Whether row security hides all rows of a view or table from this connection: its role sees only the rows of the
    /// user for whom it acts, and it acts for nobody.
    ///
    /// - Parameter view: Its name.
    /// - Returns: The role, if so; else nil.
    /// - Throws: ``ReadModelError``; `CancellationError`.
    package func roleWithoutRows(of view: String) async throws -> String? {
        try await rows(SelectRoleWithoutRows(view: view)).first
    }
}

/// Finds a table, or one below a view, whose policies give the role no rows.
///
/// A policy that lets all rows pass has the condition `true`. Source: PostgreSQL manual, "Row Security Policies" and
/// `row_security_active`.
private struct SelectRoleWithoutRows: PostgresStatement {
    let view: String
    let sql = """
        select current_user::text
        where acting_user() is null and exists (
            select from pg_class as "table"
            where ("table".oid = to_regclass($1) or "table".oid in (
                select needs.refobjid from pg_rewrite as rule
                join pg_depend as needs on needs.classid = 'pg_rewrite'::regclass and needs.objid = rule.oid
                    and needs.refclassid = 'pg_class'::regclass
                where rule.ev_class = to_regclass($1)
            )) and "table".relrowsecurity and row_security_active("table".oid) and not exists (
                select from pg_policy as policy
                where policy.polrelid = "table".oid and policy.polpermissive and policy.polcmd in ('r', '*')
                    and pg_get_expr(policy.polqual, policy.polrelid) = 'true'
                    and exists (
                        select from unnest(policy.polroles) as role
                        where role = 0 or pg_has_role(current_user, role, 'usage')
                    )
            )
        )
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(view) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
}
