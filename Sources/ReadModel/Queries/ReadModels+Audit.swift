public import EventModel

internal import FoundationEssentials
internal import Postgres

extension ReadModels {
    /// A page of audited events, in the order of the log or its reverse.
    ///
    /// - Throws: ``ReadModelError``; `CancellationError`.
    public func audit(_ filter: AuditFilter = AuditFilter()) async throws -> [AuditEntry] {
        try await rows(SelectAudit(filter))
    }

    /// Verifies the hash chains by computing them again.
    ///
    /// - Parameter user: Whose chain; nil for all.
    /// - Returns: Each broken chain's first fault; nothing if all is well.
    /// - Throws: ``ReadModelError``; `CancellationError`.
    public func verifyAudit(of user: StreamID? = nil) async throws -> [AuditFault] {
        try await rows(VerifyAudit(user: user))
    }

    /// How many hash chains and rows ``verifyAudit(of:)`` has to compute.
    ///
    /// - Parameter user: Whose chain; nil for all.
    /// - Throws: ``ReadModelError``; `CancellationError`.
    public func auditExtent(of user: StreamID? = nil) async throws -> AuditExtent {
        try await rows(SelectAuditExtent(user: user)).first ?? AuditExtent(chains: 0, rows: 0)
    }
}

/// Rows of the view `audit_logs`.
struct SelectAudit: PostgresStatement {
    private let conditions: QueryConditions
    private let order: String
    private let limit: Int

    init(_ filter: AuditFilter) {
        var conditions = QueryConditions()
        // The key begins with the chain, which is the user's id; the nil UUID is the chain of events about nobody.
        conditions.add("chain = nullif(?, '00000000-0000-0000-0000-000000000000')", filter.user?.uuid)
        if let action = filter.action, action.hasSuffix(".*") {
            conditions.add("starts_with(action, ?)", String(action.dropLast()))
        } else {
            conditions.add("action = ?", filter.action)
        }
        conditions.add("timestamp >= ?", filter.from.map { PostgresTimestamp($0) })
        conditions.add("timestamp < ?", filter.until.map { PostgresTimestamp($0) })
        conditions.add(filter.isBackwards ? "position < ?" : "position > ?", filter.after)
        self.conditions = conditions
        order = filter.isBackwards ? "desc" : "asc"
        limit = min(max(1, filter.limit), AuditFilter.largestPage)
    }

    var sql: String {
        """
        select id, position, user_id, action, resource, result, ip_address, user_agent, metadata, timestamp, hash,
            previous_hash
        from audit_logs \(conditions.sql) order by position \(order) limit \(limit)
        """
    }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try conditions.bind(&parameters) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> AuditEntry {
        AuditEntry(
            eventID: EventID(try row.uuid(at: 0)),
            position: try row.decode(at: 1),
            userID: try row.stream(at: 2),
            action: try row.decode(at: 3),
            resource: try row.decode(at: 4),
            result: try row.decode(at: 5),
            ipAddress: try row.decode(at: 6),
            userAgent: try row.decode(at: 7),
            metadata: try row.json(at: 8),
            timestamp: Timestamp(microseconds: try row.unixMicroseconds(at: 9)),
            hash: try row.decode(PostgresBytea?.self, at: 10)?.bytes,
            previousHash: try row.decode(PostgresBytea?.self, at: 11)?.bytes
        )
    }
}

/// The function `audit_verify`.
private struct VerifyAudit: PostgresStatement {
    let user: StreamID?
    let sql = "select user_id, position, id, problem from audit_verify($1) order by user_id, position"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(user?.uuid) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> AuditFault {
        AuditFault(
            userID: try row.stream(at: 0),
            position: try row.decode(at: 1),
            eventID: try row.decode(UUID?.self, at: 2).map(EventID.init),
            problem: try row.decode(at: 3)
        )
    }
}

/// How many chains and rows there are.
private struct SelectAuditExtent: PostgresStatement {
    let user: StreamID?
    let sql = """
        select (select count(*) from audit_chains where $1::uuid is null or user_id = $1),
            (select count(*) from audit_logs where $1::uuid is null or user_id = $1)
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(user?.uuid) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> AuditExtent {
        AuditExtent(chains: try row.decode(at: 0), rows: try row.decode(at: 1))
    }
}
