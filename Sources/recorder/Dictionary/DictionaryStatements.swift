import EventModel
import Postgres

/// Stores a dictionary under the next id.
struct InsertDictionary: PostgresStatement {
    /// Its content.
    let bytes: [UInt8]
    /// What it was trained on.
    let trainedOn: String

    let sql = """
        insert into dictionaries (id, bytes, trained_on, checksum)
        select coalesce(max(id), 0) + 1, $1, $2, sha256($1) from dictionaries
        returning id
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(bytes: bytes)
        try parameters.append(trainedOn)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int16 { try row.decode(at: 0) }
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
