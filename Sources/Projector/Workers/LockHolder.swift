internal import Postgres
internal import Schema

/// A server process that holds a lock that the SQL of a projection may have waited for.
struct LockHolder {
    /// The process's id.
    let process: Int
    let table: String
    let mode: String

    /// The holders on the tables that its apply.sql names: of locks that block writers, and, because the server does
    /// not list row locks, the transactions that wrote or locked rows and have been open for more than 2 s.
    ///
    /// Source: PostgreSQL manual, 13.3.1 "Table-Level Locks": the modes that conflict with ROW EXCLUSIVE.
    struct Select: PostgresStatement {
        let projection: ProjectionFiles

        let sql = """
            select distinct held.pid, model.relname::text, held.mode
            from pg_locks as held
            join pg_class as model on model.oid = coalesce(pg_partition_root(held.relation), held.relation)
            left join pg_stat_activity as session on session.pid = held.pid
            where held.granted and held.pid <> pg_backend_pid()
                and held.database = (select oid from pg_database where datname = current_database())
                and model.relnamespace = current_schema()::regnamespace and strpos($1, model.relname) > 0
                and (held.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                    or held.mode in ('RowShareLock', 'RowExclusiveLock')
                    and session.xact_start < clock_timestamp() - interval '2 s')
            order by 1, 2, 3
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(projection.statements.joined(separator: "\n"))
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> LockHolder {
            LockHolder(
                process: Int(try row.decode(Int32.self, at: 0)),
                table: try row.decode(at: 1),
                mode: try row.decode(at: 2)
            )
        }
    }
}
