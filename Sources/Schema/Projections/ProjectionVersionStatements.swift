package import Postgres

/// Records that a version has tables and, given a checksum of the views, that they read this version and no other.
struct SetInstalled: PostgresStatement {
    let projection: ProjectionFiles
    let checksum: String
    var viewChecksum: String?

    let sql = """
        with others as (
            update schema_projections set view_checksum = null
            where name = $1 and version <> $2 and $4::text is not null and view_checksum is not null
        )
        insert into schema_projections (name, version, checksum, view_checksum) values ($1, $2, $3, $4)
        on conflict (name, version) do update set checksum = excluded.checksum, view_checksum = excluded.view_checksum
        where (schema_projections.checksum, schema_projections.view_checksum)
            is distinct from (excluded.checksum, excluded.view_checksum)
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(projection.id)
        try parameters.append(checksum)
        try parameters.append(viewChecksum)
    }
}

/// Deletes the record of a version whose tables were dropped.
struct DeleteInstalled: PostgresStatement {
    let projection: ProjectionFiles
    let sql = "delete from schema_projections where name = $1 and version = $2"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(projection.id)
    }
}

/// Removes tables from the list of those that get partitions, unless they exist.
package struct ForgetPartitions: PostgresStatement {
    package let sql = "delete from time_partitions where parent = any($1) and to_regclass(parent) is null"
    let tables: [String]

    /// - Parameter tables: Their names.
    package init(tables: [String]) { self.tables = tables }

    package func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(tables) }
}

/// Statements that move tables to another schema, with all their partitions.
struct MoveTables: PostgresStatement {
    let from: String
    let to: String
    let tables: [String]

    let sql = """
        select format('alter table %s set schema %I;', format('%I.%I', namespace.nspname, member.relname), $2::text)
        from unnest($3::text[]) as given(name)
        join pg_class root on root.relname = given.name
            and root.relnamespace = (select oid from pg_namespace where nspname = $1)
        cross join lateral (select root.oid as relid union select relid from pg_partition_tree(root.oid)) as tree
        join pg_class member on member.oid = tree.relid
        join pg_namespace namespace on namespace.oid = member.relnamespace
        order by member.relname
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(from)
        try parameters.append(to)
        try parameters.append(tables)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
}

/// Statements that give tables of one schema the grants that those of the same names in another have.
struct CopyGrants: PostgresStatement {
    let from: String
    let to: String
    let tables: [String]

    let sql = """
        select format('grant %s on %I.%I to %s%s;', privilege_type, $2::text, class.relname,
                      case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
                      case when is_grantable then ' with grant option' else '' end)
        from pg_class class
        cross join lateral aclexplode(class.relacl)
        where class.relnamespace = (select oid from pg_namespace where nspname = $1) and class.relname = any($3)
            and grantee <> class.relowner
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(from)
        try parameters.append(to)
        try parameters.append(tables)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
}
