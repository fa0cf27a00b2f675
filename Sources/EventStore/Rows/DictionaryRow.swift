internal import PayloadCodec
internal import Postgres

/// A row of `dictionaries`.
struct DictionaryRow: Sendable {
    let id: Int16
    private let bytes: [UInt8]
    private let checksum: [UInt8]

    /// The columns that ``init(_:)`` reads, in order.
    static let columns = "id, bytes, checksum"

    init(_ row: borrowing PostgresRow) throws(PostgresError) {
        id = try row.decode(at: 0)
        bytes = try row.decode(PostgresBytea.self, at: 1).bytes
        checksum = try row.decode(PostgresBytea.self, at: 2).bytes
    }

    /// The dictionary.
    ///
    /// - Throws: ``EventStoreError`` with `.corruptEvent` if the row is damaged: a frame that another content was used
    ///   for could not be decoded any more.
    func dictionary() throws(EventStoreError) -> PayloadDictionary {
        do {
            return try PayloadDictionary(id: Int(id), bytes: bytes, checksum: checksum)
        } catch {
            throw EventStoreError(
                .corruptEvent,
                "dictionary \(id) is damaged: restore the row of the table dictionaries from a backup",
                cause: error
            )
        }
    }
}

/// Selects the dictionary that new events are compressed with.
struct NewestDictionary: PostgresStatement {
    let sql = "select \(DictionaryRow.columns) from dictionaries order by id desc limit 1"

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> DictionaryRow { try DictionaryRow(row) }
}
