internal import Postgres
internal import Schema

/// Checks that a projection's files use only its batch and its own relations, so that each projection can be rebuilt
/// and replaced alone.
///
/// The server itself tells: each statement becomes the body of a function (`BEGIN ATOMIC`), and the server records the
/// relations that the body uses in `pg_depend`. Source: PostgreSQL manual, CREATE FUNCTION, "sql_body". Relations that
/// a function in another language reads go unnoticed.
struct RelationCheck: Sendable {
    let files: ProjectionFiles
    /// The recorder's schema.
    let schema: String
    /// Where the projection's own tables and views were made.
    let scratch: String

    /// Reports uses, names, owners and grants that break the contract, and columns that are declared but not used.
    ///
    /// - Parameter connection: In the transaction that made the tables and views.
    func run(_ report: inout ProjectionCheckReport, on connection: isolated PostgresConnection) async throws {
        try await checkStatements(&report, on: connection)
        try await checkNames(&report, on: connection)
        guard report.passes else { return }
        for column in files.columns where try await isIdle(column, on: connection) {
            report.warn("column \(column.name) is declared but never used: every event is searched for it in vain")
        }
        for word in try volatileWords() {
            report.warn("apply.sql calls \(word): a rebuild will get another value; take times and ids from the batch")
        }
    }

    // MARK: Statements

    private func checkStatements(_ report: inout ProjectionCheckReport, on connection: isolated PostgresConnection)
        async throws
    {
        for (index, statement) in files.statements.enumerated() {
            let place = "apply.sql:\(files.statementLines[index])"
            let name = "recorder_check_statement_\(index)"
            if let error = try await connection.refusal(of: function(name, files.columns, statement)) {
                report.fail("\(place): the statement is not valid: \(error)")
                continue
            }
            for relation in try await relations(ofFunction: name, on: connection) {
                report.fail(
                    "\(place): \(relation) is not made by table.sql: a projection reads its batch and its own tables only, "
                        + "so keep here what it has to remember"
                )
            }
        }
        for row in try await connection.text(unsafeSQL: foreignRelationsOfViews) {
            report.fail("view.sql: view \(row[0] ?? "") reads \(row[1] ?? ""), which is not made by table.sql")
        }
    }

    private func function(_ name: String, _ columns: [ProjectionFiles.Column], _ statement: String) -> String {
        let types = (ProjectionFiles.commonColumns.map(\.type) + columns.map(\.type.rawValue)).map { "\($0)[]" }
        return """
            create function \(scratch).\(name)(\(types.joined(separator: ", "))) returns void
            begin atomic
            \(statement)
            ; end
            """
    }

    private func relations(ofFunction name: String, on connection: isolated PostgresConnection) async throws -> [String]
    {
        try await connection.firstColumn(
            unsafeSQL: """
                select distinct used.relnamespace::regnamespace || '.' || used.relname
                from pg_depend
                join pg_proc on pg_proc.oid = pg_depend.objid
                join pg_class used on used.oid = pg_depend.refobjid
                where pg_depend.classid = 'pg_proc'::regclass and pg_depend.refclassid = 'pg_class'::regclass
                    and pg_proc.pronamespace = '\(scratch)'::regnamespace and pg_proc.proname = '\(name)'
                    and (used.relnamespace <> '\(scratch)'::regnamespace or used.relkind in ('v', 'm'))
                order by 1
                """
        )
    }

    private var foreignRelationsOfViews: String {
        """
        select distinct view.relname, used.relnamespace::regnamespace || '.' || used.relname
        from pg_rewrite
        join pg_class view on view.oid = pg_rewrite.ev_class
        join pg_depend on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
            and pg_depend.refclassid = 'pg_class'::regclass
        join pg_class used on used.oid = pg_depend.refobjid
        where view.relnamespace = '\(scratch)'::regnamespace and used.relnamespace <> '\(scratch)'::regnamespace
        order by 1, 2
        """
    }

    // MARK: Names, owners, grants

    private func checkNames(_ report: inout ProjectionCheckReport, on connection: isolated PostgresConnection)
        async throws
    {
        let rows = try await connection.text(
            unsafeSQL: """
                select relname, relkind in ('v', 'm'), pg_get_userbyid(relowner),
                    has_table_privilege('recorder_analyst', pg_class.oid, 'select'),
                    exists (select from pg_class other where other.relname = pg_class.relname
                        and other.relnamespace = to_regnamespace(quote_ident('\(schema.replacing("'", with: "''"))')))
                    and not exists (select from schema_projections where name = '\(files.name)')
                from pg_class
                where relnamespace = '\(scratch)'::regnamespace and relkind in ('r', 'p', 'v', 'm') and not relispartition
                order by relkind, relname
                """
        )
        for row in rows {
            guard let name = row[0], let owner = row[2] else { continue }
            let isView = row[1] == "t"
            let file = isView ? "view.sql" : "table.sql"
            if row[4] == "t" { report.fail("\(file): the name \(name) is taken in schema \(schema)") }
            if isView ? name.wholeMatch(of: #/.*_v[0-9]+/#) != nil : !name.hasSuffix("_v\(files.version)") {
                report.fail(
                    isView
                        ? "view.sql: view \(name) bears a version: views keep their names when versions change"
                        : "table.sql: the name of table \(name) does not end in _v\(files.version): versions stand side by side"
                )
            }
            if owner != "recorder_projector" {
                report.fail("\(file): \(name) belongs to \(owner): add alter … \(name) owner to recorder_projector")
            }
            if isView, row[3] != "t" { report.fail("view.sql: grant select on \(name) to recorder_analyst is missing") }
        }
        if !rows.contains(where: { $0[1] == "f" }) { report.fail("table.sql makes no table") }
    }

    // MARK: Columns and words

    /// Whether apply.sql is valid without a column.
    private func isIdle(_ column: ProjectionFiles.Column, on connection: isolated PostgresConnection) async throws
        -> Bool
    {
        let declaration = try Regex("(?m)^[ \\t]*--\\s*column\\s*:\\s*\(column.name)\\s.*$")
        let without = try ProjectionFiles(
            name: files.name,
            version: files.version,
            tableSQL: files.tableSQL,
            applySQL: files.applySQL.replacing(declaration, with: "--")
                .replacing(#/(?m)^[ \t]*--\s*personal\s*:.*$/#, with: "--"),
            viewSQL: files.viewSQL
        )
        for (index, statement) in without.statements.enumerated() {
            let name = "recorder_check_without_\(column.name)_\(index)"
            if try await connection.refusal(of: function(String(name.prefix(60)), without.columns, statement)) != nil {
                return false
            }
        }
        return true
    }

    /// The functions in apply.sql whose value changes from call to call.
    private func volatileWords() throws -> [String] {
        let volatile: Set = [
            "now", "current_timestamp", "current_date", "localtimestamp", "clock_timestamp", "statement_timestamp",
            "transaction_timestamp", "random", "gen_random_uuid", "nextval", "pg_current_xact_id",
        ]
        return try SQLWords.of(files.applySQL, file: "apply.sql").filter(volatile.contains)
    }
}
