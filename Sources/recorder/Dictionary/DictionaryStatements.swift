import EventModel
import Postgres

/// Stores a dictionary under the next id, unless the newest one is the same; returns the id that it has.
struct InsertDictionary: PostgresStatement {
    /// Its content.
    let bytes: [UInt8]
    /// What it was trained on.
    let trainedOn: String

    let sql = """
        with newest as (select id, checksum from dictionaries order by id desc limit 1),
        stored as (
            insert into dictionaries (id, bytes, trained_on, checksum)
            select coalesce((select id from newest), 0) + 1, $1, $2, sha256($1)
            where not exists (select from newest where checksum = sha256($1))
            returning id
        )
        select id, true from stored union all select id, false from newest where checksum = sha256($1)
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(bytes: bytes)
        try parameters.append(trainedOn)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (id: Int16, isNew: Bool) {
        (try row.decode(at: 0), try row.decode(at: 1))
    }
}

/// The dictionaries that are stored, by id.
struct SelectDictionaries: PostgresStatement {
    /// One dictionary.
    struct Row: Sendable {
        let id: Int16
        let size: Int
        let trainedAt: Timestamp
        let trainedOn: String
        /// Whether a stored event needs it.
        let isInUse: Bool
    }

    let sql = """
        select id, octet_length(bytes), trained_at, trained_on, exists (select from events where encoding = id)
        from dictionaries order by id
        """

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Row {
        Row(
            id: try row.decode(at: 0),
            size: try row.decode(at: 1),
            trainedAt: Timestamp(microseconds: try row.unixMicroseconds(at: 2)),
            trainedOn: try row.decode(at: 3),
            isInUse: try row.decode(at: 4)
        )
    }
}
