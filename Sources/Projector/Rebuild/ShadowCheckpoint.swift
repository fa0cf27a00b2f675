internal import EventStore
internal import Postgres
internal import Schema

/// How far one shard of a shadow is: a row of `projection_rebuilds`.
struct ShadowCheckpoint: Sendable {
    let shard: Int
    /// How many shards there are.
    let shards: Int
    /// The checksum of the SQL and the prices that the shadow is built with.
    let checksum: String
    var cursor: LogCursor
    /// Events that the projection was given.
    var events: Int64
    /// Events that were read, of the types that the projection handles.
    var read: Int64
    /// Events of those types that the log held when the shadow was begun, in all shards together.
    let total: Int64
    /// How many differences the comparison found; `nil` before it.
    let differences: Int64?

    /// The rows of a shadow, by shard.
    struct Load: PostgresStatement {
        let model: ShadowModel

        let sql = """
            select shard, shards, checksum, old_snapshot, new_snapshot, position, events, read, total, differences
            from projection_rebuilds where projection = $1 and version = $2 and purpose = $3 order by shard
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(model) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> ShadowCheckpoint {
            ShadowCheckpoint(
                shard: try row.decode(at: 0),
                shards: try row.decode(at: 1),
                checksum: try row.decode(at: 2),
                cursor: try LogCursor(row, from: 3),
                events: try row.decode(at: 6),
                read: try row.decode(at: 7),
                total: try row.decode(at: 8),
                differences: try row.decode(at: 9)
            )
        }
    }

    /// Begins a shadow: a row for each shard, at the beginning of the log.
    struct Create: PostgresStatement {
        let model: ShadowModel
        let shards: Int
        /// How many events of its types the log holds.
        let total: Int64

        let sql = """
            insert into projection_rebuilds (projection, version, purpose, shard, shards, checksum, total)
            select $1, $2, $3, shard, $4, \(Checksum.sql(of: "$5")), $6
            from generate_series(0, $4::integer - 1) as shard
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(model)
            try parameters.append(Int32(shards))
            try parameters.append(model.source)
            try parameters.append(total)
        }

    }

    /// The checksum of what a shadow is built with now: its SQL, and the prices of models.
    struct Checksum: PostgresStatement {
        let model: ShadowModel
        var sql: String { "select \(Self.sql(of: "$1"))" }

        /// The checksum of a text and the prices.
        static func sql(of text: String) -> String {
            """
            (select encode(sha256(convert_to(\(text) || coalesce(string_agg(
                concat_ws(' ', model, kind, usd_per_token, extract(epoch from valid_from)), '|' order by model, kind, valid_from
             ), ''), 'UTF8')), 'hex') from model_prices)
            """
        }

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(model.source) }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
    }

    /// Counts the log's events by type, for the total of ``Create``.
    struct CountTypes: PostgresStatement {
        let sql = """
            select name, count from (select type, count(*) from events group by type) as counted
            join event_types on id = type
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (type: String, count: Int64) {
            (try row.decode(at: 0), try row.decode(at: 1))
        }
    }

    /// Moves shards of one or several shadows from one cursor to the next; touches only those that still stand there.
    struct Advance: PostgresStatement {
        /// A shard that moves.
        struct Shard: Sendable {
            let model: ShadowModel
            let shard: Int
            /// How many events it was given.
            let given: Int
            /// How many of its events were read.
            let read: Int
        }

        /// The shards, all of shadows with one purpose.
        let shards: [Shard]
        let from: LogCursor
        let to: LogCursor

        let sql = """
            with moved as (
                update projection_rebuilds as rebuild
                set old_snapshot = $7, new_snapshot = $8, position = $9, events = rebuild.events + moved.given,
                    read = rebuild.read + moved.read, updated_at = clock_timestamp()
                from unnest($2::text[], $3::integer[], $4::smallint[], $5::bigint[], $6::bigint[])
                    as moved(projection, version, shard, given, read)
                where rebuild.projection = moved.projection and rebuild.version = moved.version and rebuild.purpose = $1
                    and rebuild.shard = moved.shard
                    and coalesce(rebuild.old_snapshot, '1:1:')::text = $10
                    and coalesce(rebuild.new_snapshot::text, '') = $11 and rebuild.position = $12
                returning rebuild.projection
            )
            select projection, count(*) from moved group by projection
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(shards.first?.model.purpose.rawValue)
            try parameters.append(shards.map(\.model.files.id))
            try parameters.append(shards.map { Int16($0.shard) })
            try parameters.append(shards.map(\.given))
            try parameters.append(shards.map(\.read))
            try parameters.append(to)
            try parameters.append(from.delivered.description)
            try parameters.append(from.window?.end.description ?? "")
            try parameters.append(from.window?.position ?? 0)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (projection: String, shards: Int64) {
            (try row.decode(at: 0), try row.decode(at: 1))
        }
    }

    /// Records how many differences the comparison found.
    struct SetDifferences: PostgresStatement {
        let model: ShadowModel
        let differences: Int

        let sql = """
            update projection_rebuilds set differences = $4 where projection = $1 and version = $2 and purpose = $3
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(model)
            try parameters.append(differences)
        }
    }

    /// Deletes a shadow's checkpoints and stopped streams.
    struct Delete: PostgresStatement {
        let model: ShadowModel
        let sql = """
            with quarantine as (
                delete from projection_rebuild_quarantine where projection = $1 and version = $2 and purpose = $3
            )
            delete from projection_rebuilds where projection = $1 and version = $2 and purpose = $3
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(model) }
    }
}

extension ShadowModel {
    /// All of the SQL that decides what the shadow holds.
    fileprivate var source: String {
        ([files.tableSQL, files.viewSQL] + files.reads + files.statements).joined(separator: "\u{1}")
    }
}

extension PostgresParameters {
    /// Appends the key of a shadow's rows.
    mutating func append(_ model: ShadowModel) throws(PostgresError) {
        try append(model.files.id)
        try append(model.purpose.rawValue)
    }
}
