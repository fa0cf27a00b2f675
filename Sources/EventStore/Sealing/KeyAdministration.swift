internal import EventModel
internal import FoundationEssentials
internal import PayloadCodec
package import Postgres

/// An operator's work with keys: starts sealing the log, shows the keys' status, and rewraps them.
package struct KeyAdministration: Sendable {
    /// How many subjects' keys a key-encryption key has wrapped.
    package struct Figures: Sendable, Equatable {
        /// The key-encryption key's identifier.
        package let encryptionKey: String
        /// How many keys in force it has wrapped.
        package let live: Int
        /// How many of its keys were destroyed.
        package let destroyed: Int
        /// Whether new keys are wrapped by it.
        package let isLeading: Bool
        /// Whether it was given to this process.
        package let isGiven: Bool
    }

    /// How a log came to be sealed.
    package enum Initialisation: Sendable, Equatable {
        /// It is sealed from now on.
        case sealed(hasEventsBefore: Bool)
        /// It was sealed already.
        case before
    }

    private let pool: PostgresPool
    private let keys: SealingKeys

    /// How many keys are rewrapped in one transaction.
    private static let batchSize = 500

    /// - Parameters:
    ///   - pool: Connections of a role that owns the tables: `recorder_owner`.
    ///   - keys: The key-encryption keys, the leading one first.
    package init(_ pool: PostgresPool, keys: SealingKeys) {
        self.pool = pool
        self.keys = keys
    }

    /// Seals personal fields from now on. Events that are already there stay as they are.
    ///
    /// Writers notice it within a second.
    ///
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if no key was given, or another key leads; `PostgresError`.
    package func initialise() async throws -> Initialisation {
        let leading = try leading()
        return try await pool.withConnection { connection in
            let state = try await connection.first(SealingState.Select())
            if let known = state?.encryptionKey {
                guard known == leading.identifier else {
                    throw EventStoreError(
                        .keyUnavailable,
                        "this log is sealed under the key-encryption key \(known), and \(leading.identifier) was given: "
                            + "`recorder keys rotate` changes it"
                    )
                }
                return .before
            }
            try await connection.execute(Seal(encryptionKey: leading.identifier))
            return .sealed(hasEventsBefore: try await connection.first(HasEvents()) ?? false)
        }
    }

    /// How many keys each key-encryption key has wrapped; empty if the log is not sealed.
    ///
    /// - Throws: `PostgresError`.
    package func status() async throws -> [Figures] {
        let given = Set(keys.keys.map(\.identifier))
        return try await pool.query(SelectFigures(given: given))
    }

    /// Rewraps, under the first key given, what other keys have wrapped, in batches; no event is touched.
    ///
    /// Run it again after a second: a writer that had not noticed the change yet may have used the old key.
    ///
    /// - Parameter progress: Called after each batch with the number of keys rewrapped so far.
    /// - Returns: How many keys were rewrapped.
    /// - Throws: ``EventStoreError`` with `.keyUnavailable` if a key that wrapped some was not given or, after all
    ///   others were rewrapped, if some do not open; `.refused` if the log is not sealed; `PostgresError`.
    @discardableResult
    package func rotate(_ progress: @Sendable (Int) -> Void = { _ in }) async throws -> Int {
        let leading = try leading()
        guard let known = try await pool.first(SealingState.Select())?.encryptionKey else {
            throw EventStoreError(.refused, "this log is not sealed: `recorder keys init` begins with it")
        }
        guard keys[known] != nil else { throw keys.unavailable(known) }
        if known != leading.identifier { try await pool.execute(Lead(encryptionKey: leading.identifier)) }
        var done = 0
        var closed: [SubjectKeyRow] = []
        while true {
            let next = SelectToWrap(
                encryptionKey: leading.identifier,
                passedOver: closed.map(\.id),
                limit: Self.batchSize
            )
            let rows = try await pool.query(next)
            guard !rows.isEmpty else { break }
            let states = try await keys.unwrap(rows)
            closed += rows.filter { states[$0.id] == nil }
            let open = rows.compactMap { row -> (row: SubjectKeyRow, key: SubjectKey)? in
                guard case .key(let key)? = states[row.id] else { return nil }
                return (row, key)
            }
            let wrapped = try await leading.wrap(open.map { ($0.row.subject.uuid.bytes, $0.key) })
            let update = UpdateWrapped(rows: open.map(\.row), wrapped: wrapped, encryptionKey: leading.identifier)
            done += try await pool.execute(update)
            progress(done)
        }
        guard closed.isEmpty else { throw EventStoreError.closedKeys(closed) }
        return done
    }

    private func leading() throws -> any KeyEncryptionKey {
        guard let leading = keys.keys.first else {
            throw EventStoreError(
                .keyUnavailable,
                "no key-encryption key is given: make one with `recorder keys new > FILE`, keep it where the database is not, "
                    + "and name it by --key-file or RECORDER_KEY_FILE"
            )
        }
        return leading
    }

    // MARK: Statements

    private struct Seal: PostgresStatement {
        let encryptionKey: String
        let sql = """
            update sealing set initialised_at = clock_timestamp(), kek_id = $1, generation = generation + 1
            where initialised_at is null
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(encryptionKey) }
    }

    private struct Lead: PostgresStatement {
        let encryptionKey: String
        let sql = "update sealing set kek_id = $1, generation = generation + 1"

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(encryptionKey) }
    }

    private struct HasEvents: PostgresStatement {
        let sql = "select exists (select from events)"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Bool { try row.decode(at: 0) }
    }

    private struct SelectFigures: PostgresStatement {
        let given: Set<String>
        let sql = """
            select kek_id, count(*) filter (where destroyed_at is null), count(*) filter (where destroyed_at is not null),
                bool_or(is_leading)
            from (
                -- Whose key was destroyed before the log was sealed had none.
                select k.kek_id, k.destroyed_at, k.kek_id is not distinct from s.kek_id as is_leading
                from subject_keys k cross join sealing s
                where k.kek_id <> 'none'
                union all
                select kek_id, null, true from sealing where kek_id is not null
            ) known
            group by kek_id order by 4 desc, 1
            """

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Figures {
            let encryptionKey = try row.decode(String.self, at: 0)
            let isLeading = try row.decode(Bool.self, at: 3)
            return Figures(
                encryptionKey: encryptionKey,
                // The leading key's own row belongs to no subject.
                live: try row.decode(Int.self, at: 1) - (isLeading ? 1 : 0),
                destroyed: try row.decode(Int.self, at: 2),
                isLeading: isLeading,
                isGiven: given.contains(encryptionKey)
            )
        }
    }

    private struct SelectToWrap: PostgresStatement {
        let encryptionKey: String
        let passedOver: [Int64]
        let limit: Int
        let sql = """
            select \(SubjectKeyRow.columns) from subject_keys k
            where k.destroyed_at is null and k.kek_id <> $1 and k.id <> all ($2::bigint[]) order by k.id limit $3
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(encryptionKey)
            try parameters.append(passedOver)
            try parameters.append(limit)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> SubjectKeyRow {
            try SubjectKeyRow(row, from: 0)
        }
    }

    /// Stores rewrapped keys; one that was destroyed meanwhile stays destroyed.
    private struct UpdateWrapped: PostgresStatement {
        let rows: [SubjectKeyRow]
        let wrapped: [[UInt8]]
        let encryptionKey: String
        let sql = """
            update subject_keys k set wrapped_key = new.wrapped_key, kek_id = $4
            from unnest($1::bigint[], $2::bytea[], $3::bytea[]) as new(id, old_key, wrapped_key)
            where k.id = new.id and k.wrapped_key = new.old_key
            """

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(rows.map(\.id))
            try parameters.append(rows.map { PostgresBytea($0.wrapped ?? []) })
            try parameters.append(wrapped.map { PostgresBytea($0) })
            try parameters.append(encryptionKey)
        }
    }
}
