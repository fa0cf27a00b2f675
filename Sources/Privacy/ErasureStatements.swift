internal import EventModel
internal import Postgres

/// Begins an erasure, or finds the one that is under way.
struct BeginErasure: PostgresStatement {
    /// Why a person is erased.
    enum Reason {
        /// Somebody asks for it.
        case request
        /// Somebody asks for it, and the person need not be known.
        case requestForUnknown
        /// The retention period has ended, or an erasure was cut off; it begins only if that still holds.
        case retention
    }

    let subject: StreamID
    let actor: String
    let reason: Reason

    var sql: String {
        switch reason {
        case .request: "select begin_erasure($1, $2, false)"
        case .requestForUnknown: "select begin_erasure($1, $2, true)"
        case .retention: "select begin_due_erasure($1, $2)"
        }
    }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(subject.uuid)
        try parameters.append(actor)
    }

    /// `nil` if it is no longer due.
    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int64? { try row.decode(at: 0) }
}

/// Fails if nobody is known by this id, or if it is a session's.
struct RefuseNobody: PostgresStatement {
    let subject: StreamID
    let sql = "select refuse_nobody($1, false)::text"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(subject.uuid) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
}

/// Fails if a user is under a legal hold.
struct RefuseHeld: PostgresStatement {
    let subject: StreamID
    let sql = "select refuse_held($1)::text"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(subject.uuid) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
}

/// Calls a function of migration 0035 that does one step.
struct ErasureStep: PostgresStatement {
    let function: StaticString
    let subject: StreamID
    var actor: String?

    var sql: String { "select \(function)($1\(actor == nil ? "" : ", $2"))::text" }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(subject.uuid)
        if let actor { try parameters.append(actor) }
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
}

/// Records that an erasure must remove objects before it can end.
struct RequireObjectRemoval: PostgresStatement {
    let subject: StreamID
    let sql = """
        update erasures set facts = facts || '{"objects": true}' where subject_id = $1 and finished_at is null
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(subject.uuid) }
}

/// Whether the erasure under way must remove objects and has not done so.
struct IsObjectRemovalDue: PostgresStatement {
    let subject: StreamID
    let sql = """
        select facts ? 'objects' and not counts ? 'objects' from erasures where subject_id = $1 and finished_at is null
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(subject.uuid) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
}

/// Adds to the counts of the erasure under way.
struct CountErased: PostgresStatement {
    let subject: StreamID
    let name: String
    let count: Int
    let sql = "select count_erased($1, jsonb_build_object($2::text, $3::bigint))::text"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(subject.uuid)
        try parameters.append(name)
        try parameters.append(count)
    }
}

/// Whether an audit log is installed.
struct HasAuditChains: PostgresStatement {
    let sql = "select to_regclass('audit_chains') is not null"

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
}

/// Records the head of a person's audit chain.
struct RecordAuditHead: PostgresStatement {
    let subject: StreamID
    let name: String
    /// Whether a value that an earlier run recorded is kept.
    let onlyOnce: Bool
    let sql = """
        update erasures set facts = facts || jsonb_build_object($2::text, (
            select encode(head_hash, 'hex') from audit_chains where user_id = $1
        ))
        where subject_id = $1 and finished_at is null and not ($3 and facts ? $2)
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(subject.uuid)
        try parameters.append(name)
        try parameters.append(onlyOnce)
    }
}

/// The streams that are about a person.
struct SelectStreams: PostgresStatement {
    let subject: StreamID
    let sql = "select subject_streams($1)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(subject.uuid) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StreamID {
        StreamID(try row.uuid(at: 0))
    }
}

/// Reads the facts for a certificate.
struct SelectFacts: PostgresStatement {
    let id: Int64
    let subject: StreamID
    let sql = """
        select r.actor, r.started_at, clock_timestamp(), ('{"objects": null}' || r.counts)::text, r.facts ->> 'audit_head_before',
            r.facts ->> 'audit_head_after', log.events, log.sealed, log.readable, log.ids,
            (select initialised_at is not null from sealing)
        from erasures r
        cross join (
            select count(*) as events, count(k.id) as sealed, count(k.id) filter (where k.destroyed_at is null) as readable,
                coalesce(encode(sha256(string_agg(uuid_send(e.event_id), '' order by e.position)), 'hex'), '') as ids
            from events e left join subject_keys k on k.id = sealed_key(e.payload)
            where e.stream_id in (select subject_streams($2))
        ) log
        where r.id = $1
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(id)
        try parameters.append(subject.uuid)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> ErasureFacts {
        ErasureFacts(
            id: id,
            subject: subject,
            actor: try row.decode(at: 0),
            startedAt: Timestamp(microseconds: try row.unixMicroseconds(at: 1)),
            finishedAt: Timestamp(microseconds: try row.unixMicroseconds(at: 2)),
            counts: try row.decode(at: 3),
            headBefore: try row.decode(at: 4),
            headAfter: try row.decode(at: 5),
            events: try row.decode(at: 6),
            sealedEvents: try row.decode(at: 7),
            readableEvents: try row.decode(at: 8),
            eventsHash: try row.decode(at: 9),
            logIsSealed: try row.decode(at: 10)
        )
    }
}

/// Records that an erasure is done, unless another run already did. Returns the certificate that counts.
struct FinishErasure: PostgresStatement {
    let id: Int64
    let certificate: String
    let sql = """
        update erasures
        set finished_at = coalesce(finished_at, clock_timestamp()), certificate = coalesce(certificate, $2)
        where id = $1
        returning certificate
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(id)
        try parameters.append(certificate)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
}
