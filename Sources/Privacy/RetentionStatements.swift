internal import EventModel
internal import Postgres

/// The policies, in the order in which they are applied.
struct SelectPolicies: PostgresStatement {
    let sql = """
        select name, keep_for::text, enabled from retention_policies order by array_position($1, name)
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(RetentionPolicies.Subject.allCases.map(\.rawValue))
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> RetentionPolicies.Policy {
        let name = try row.decode(String.self, at: 0)
        guard let subject = RetentionPolicies.Subject(rawValue: name) else {
            throw PostgresError(.decoding, "the policy \(name) is none that this build knows")
        }
        return RetentionPolicies.Policy(
            subject: subject,
            keepFor: try row.decode(at: 1),
            isEnabled: try row.decode(at: 2)
        )
    }
}

/// Changes a policy, and appends an event about it to a stream of its own.
struct UpdatePolicy: PostgresStatement {
    let subject: RetentionPolicies.Subject
    let keepFor: String?
    let isEnabled: Bool?
    let actor: String
    let sql = """
        with changed as (
            update retention_policies
            set keep_for = coalesce($2::text::interval, keep_for), enabled = coalesce($3, enabled)
            where name = $1 and clock_timestamp() - coalesce($2::text::interval, keep_for) is not null
            returning name, keep_for::text as kept, enabled
        )
        select kept
        from changed cross join lateral append_events(jsonb_build_array(jsonb_build_object(
            'stream', uuid_v7(), 'type', 'retention.changed',
            'data', jsonb_build_object('policy', name, 'keepFor', kept, 'enabled', enabled),
            'metadata', jsonb_build_object('actor', $4::text)
        )))
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(subject.rawValue)
        try parameters.append(keepFor)
        try parameters.append(isEnabled)
        try parameters.append(actor)
    }

    /// The period now in force, as PostgreSQL writes it.
    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> String { try row.decode(at: 0) }
}

/// Users whose retention period has ended, or whose erasure was cut off.
struct UsersToErase: PostgresStatement {
    let batch: Int
    let tried: [StreamID]
    let sql = "select users_to_erase($1, $2)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(Int32(clamping: batch))
        try parameters.append(tried.map(\.uuid))
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StreamID {
        StreamID(try row.uuid(at: 0))
    }
}

/// Deletes one batch of entities for good.
struct RetainEntities: PostgresStatement {
    let relation: String
    let noun: String
    let policy: RetentionPolicies.Subject
    let batch: Int
    let isDry: Bool
    let sql = "select retain_entities($1, $2, $3, $4, $5)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(relation)
        try parameters.append(noun)
        try parameters.append(policy.rawValue)
        try parameters.append(Int32(clamping: batch))
        try parameters.append(isDry)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int { try row.decode(at: 0) }
}

/// Deletes one batch of read-model rows.
struct RetainRows: PostgresStatement {
    let function: StaticString
    let batch: Int
    let isDry: Bool

    var sql: String { "select \(function)($1, $2)" }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(Int32(clamping: batch))
        try parameters.append(isDry)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int { try row.decode(at: 0) }
}
