internal import EventModel
internal import Postgres

/// The legal holds.
struct SelectHolds: PostgresStatement {
    let sql = "select user_id, reason, held_by, held_at from legal_holds order by held_at, user_id"

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> LegalHolds.Hold {
        LegalHolds.Hold(
            user: StreamID(try row.uuid(at: 0)),
            reason: try row.decode(at: 1),
            heldBy: try row.decode(at: 2),
            heldAt: Timestamp(microseconds: try row.unixMicroseconds(at: 3))
        )
    }
}

/// Begins a hold.
struct HoldUser: PostgresStatement {
    let user: StreamID
    let reason: String
    let actor: String
    let evenIfUnknown: Bool
    let sql = "select hold_user($1, $2, $3, $4)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(user.uuid)
        try parameters.append(reason)
        try parameters.append(actor)
        try parameters.append(evenIfUnknown)
    }

    /// Whether an erasure is under way; `nil` if the user is already held.
    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool? { try row.decode(at: 0) }
}

/// Ends a hold.
struct ReleaseUser: PostgresStatement {
    let user: StreamID
    let actor: String
    let sql = "select release_user($1, $2)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(user.uuid)
        try parameters.append(actor)
    }

    /// Whether there was one.
    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
}
