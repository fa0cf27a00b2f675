internal import EventModel
internal import PayloadCodec
internal import Postgres

/// A row of `subject_keys`.
struct SubjectKeyRow: Sendable {
    let id: Int64
    let subject: StreamID
    /// `nil` if the key was destroyed.
    let wrapped: [UInt8]?
    /// The identifier of the key-encryption key that wrapped it.
    let encryptionKey: String

    /// The columns that ``init(_:from:)`` reads, in order, of a row named `k`.
    static let columns = "k.id, k.subject_id, k.wrapped_key, k.kek_id"

    init(_ row: borrowing PostgresRow, from column: Int) throws(PostgresError) {
        id = try row.decode(at: column)
        subject = StreamID(try row.uuid(at: column + 1))
        wrapped = try row.decode(PostgresBytea?.self, at: column + 2)?.bytes
        encryptionKey = try row.decode(at: column + 3)
    }
}

/// The database's state of sealing as a whole.
struct SealingState: Sendable, Equatable {
    /// The identifier of the key-encryption key that wraps subjects' keys; `nil` while the log is not sealed.
    let encryptionKey: String?
    /// Raised by every change that makes remembered keys and fields stale.
    let generation: Int64

    /// Reads the table's only row.
    struct Select: PostgresStatement {
        let sql = "select kek_id, generation from sealing"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> SealingState {
            SealingState(encryptionKey: try row.decode(at: 0), generation: try row.decode(at: 1))
        }
    }
}

/// Selects the subject of each of some streams, and the subject's key if there is one.
///
/// Each key is looked up by itself: a joined plan that was made while the table was small would always read all of it.
struct SelectSubjects: PostgresStatement {
    /// What was found for one stream.
    struct Row: Sendable {
        let stream: StreamID
        let subject: StreamID
        let key: SubjectKeyRow?
    }

    /// The streams, each with the user that its first event names, if known.
    let streams: [(stream: StreamID, named: StreamID?)]

    let sql = """
        select found.stream_id, found.subject_id, \(SubjectKeyRow.columns)
        from subjects_of($1, $2) found
        left join lateral (select * from subject_keys key where key.subject_id = found.subject_id limit 1) k on true
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(streams.map(\.stream.uuid))
        try parameters.append(streams.map { $0.named?.uuid })
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Row {
        let isThere = try row.decode(Int64?.self, at: 2) != nil
        return Row(
            stream: StreamID(try row.uuid(at: 0)),
            subject: StreamID(try row.uuid(at: 1)),
            key: isThere ? try SubjectKeyRow(row, from: 2) : nil
        )
    }
}

/// Selects a subject's key.
struct SelectOwnKey: PostgresStatement {
    let subject: StreamID
    let sql = "select \(SubjectKeyRow.columns) from subject_keys k where k.subject_id = $1"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(subject.uuid) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> SubjectKeyRow { try SubjectKeyRow(row, from: 0) }
}

/// Stores new keys and returns their ids; a subject that got one meanwhile keeps it and is not returned.
struct InsertSubjectKeys: PostgresStatement {
    let keys: [(subject: StreamID, wrapped: [UInt8])]
    let encryptionKey: String

    let sql = """
        insert into subject_keys (subject_id, wrapped_key, kek_id)
        select new.subject_id, new.wrapped_key, $3 from unnest($1::uuid[], $2::bytea[]) as new(subject_id, wrapped_key)
        on conflict (subject_id) do nothing
        returning subject_id, id
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(keys.map(\.subject.uuid))
        try parameters.append(keys.map { PostgresBytea($0.wrapped) })
        try parameters.append(encryptionKey)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (subject: StreamID, id: Int64) {
        (StreamID(try row.uuid(at: 0)), try row.decode(at: 1))
    }
}

/// Selects the current generation, and keys by their ids.
struct SelectKeys: PostgresStatement {
    let ids: [Int64]

    let sql = """
        select s.generation, \(SubjectKeyRow.columns) from sealing s left join subject_keys k on k.id = any($1::bigint[])
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(ids) }

    func decode(
        _ row: borrowing PostgresRow
    ) throws(PostgresError) -> (generation: Int64, key: SubjectKeyRow?) {
        let isThere = try row.decode(Int64?.self, at: 1) != nil
        return (try row.decode(at: 0), isThere ? try SubjectKeyRow(row, from: 1) : nil)
    }
}

/// Selects the declarations of personal fields.
struct SelectPersonalFields: PostgresStatement {
    let sql = "select type, source = 'metadata', field from personal_fields order by 1, 2, 3"

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> PersonalFields.Declaration {
        PersonalFields.Declaration(
            pattern: try row.decode(at: 0),
            isInMetadata: try row.decode(at: 1),
            field: try row.decode(at: 2)
        )
    }
}
