internal import Foundation
internal import Postgres

/// A row of `schema_migrations`.
struct AppliedMigration: Sendable, Hashable {
    let version: Int
    let name: String
    /// SHA-256 of the file that was run, in hexadecimal.
    let checksum: String
    let appliedAt: Date

    var title: String { Migration.title(version: version, name: name) }
}

/// The applied migrations, by number.
struct SelectAppliedMigrations: PostgresStatement {
    let sql = "select version, name, checksum, applied_at from schema_migrations order by version"

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> AppliedMigration {
        AppliedMigration(
            version: Int(try row.decode(Int32.self, at: 0)),
            name: try row.decode(at: 1),
            checksum: try row.decode(at: 2),
            appliedAt: Date(
                timeIntervalSince1970: Double(try row.decode(PostgresTimestamp.self, at: 3).unixMicroseconds) / 1e6
            )
        )
    }
}

/// SHA-256 of texts in hexadecimal, in their order. The server computes it: we have no cryptography in this target.
struct SelectChecksums: PostgresStatement {
    let sql = """
        select encode(sha256(convert_to(text, 'UTF8')), 'hex')
        from unnest($1::text[]) with ordinality as given(text, number) order by number
        """
    let texts: [String]

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(texts) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
}

/// Records that a migration was applied.
struct InsertAppliedMigration: PostgresStatement {
    let sql = """
        insert into schema_migrations (version, name, checksum)
        values ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))
        """
    let migration: Migration

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(Int32(migration.version))
        try parameters.append(migration.name)
        try parameters.append(migration.up)
    }
}

/// Deletes the record of a migration that was taken back.
struct DeleteAppliedMigration: PostgresStatement {
    let sql = "delete from schema_migrations where version = $1"
    let version: Int

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(Int32(version)) }
}

/// Whether there is a schema.
struct SelectHasSchema: PostgresStatement {
    let sql = "select to_regnamespace(quote_ident($1)) is not null"
    let schema: String

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(schema) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
}

/// The owner of a schema, if the current role has no reason to trust them: neither itself, nor a superuser, nor the
/// database's owner.
struct SelectStrangeOwner: PostgresStatement {
    let sql = """
        select pg_get_userbyid(nspowner)::text from pg_namespace
        where nspname = $1 and nspowner not in (
            select oid from pg_roles where rolsuper or rolname in (current_user, 'pg_database_owner')
            union all select datdba from pg_database where datname = current_database()
        )
        """
    let schema: String

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(schema) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
}

/// A function or an operator in a schema that is named as one of PostgreSQL's own, of somebody other than the current
/// role, the schema's owner, the recorder's owner and superusers.
struct SelectPlanted: PostgresStatement {
    let sql = """
        with named (name, owner, space, short, is_function) as (
            select oid::regprocedure::text, proowner, pronamespace, proname, true from pg_proc
            union all
            select oid::regoperator::text, oprowner, oprnamespace, oprname, false from pg_operator
        )
        select named.name, pg_get_userbyid(owner)::text from named join pg_namespace on pg_namespace.oid = space
        where nspname = $1 and owner <> nspowner
            and owner not in (select oid from pg_roles where rolsuper or rolname in (current_user, 'recorder_owner'))
            and case when is_function
                then exists (select from pg_proc where proname = short and pronamespace = 'pg_catalog'::regnamespace)
                else exists (select from pg_operator where oprname = short and oprnamespace = 'pg_catalog'::regnamespace) end
        limit 1
        """
    let schema: String

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(schema) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (name: String, owner: String) {
        (try row.decode(at: 0), try row.decode(at: 1))
    }
}

/// Whether a schema has the table of applied migrations.
struct SelectHasMigrations: PostgresStatement {
    let sql = "select to_regclass(quote_ident($1) || '.schema_migrations') is not null"
    let schema: String

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(schema) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
}

/// Waits until no other migrator works on a schema; held until the transaction ends.
struct LockSchema: PostgresStatement {
    let sql = "select 1 from (select pg_advisory_xact_lock(hashtextextended('recorder schema ' || $1, 0))) as lock"
    let schema: String

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(schema) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
}
