public import EventModel

internal import Postgres

extension ReadModels {
    /// A page of sessions, newest first; sessions without a start come last.
    ///
    /// - Throws: ``ReadModelError``; `CancellationError`.
    public func sessions(_ filter: SessionFilter = SessionFilter()) async throws -> [Session] {
        try await rows(SelectSessions(filter))
    }

    /// One session.
    ///
    /// - Throws: ``ReadModelError`` with `.notFound`; `CancellationError`.
    public func session(_ id: StreamID) async throws -> Session {
        guard let session = try await rows(SelectSessions(id: id)).first else { throw Self.notFound(id) }
        return session
    }

    /// One session and its turns in their order, both read at one moment.
    ///
    /// - Throws: ``ReadModelError`` with `.notFound`; `CancellationError`.
    public func sessionWithTurns(_ id: StreamID) async throws -> (session: Session, turns: [Turn]) {
        let found = try await reading { connection in
            (
                try await connection.query(SelectSessions(id: id)).first,
                try await connection.query(SelectTurns(session: id))
            )
        }
        guard let session = found.0 else { throw Self.notFound(id) }
        return (session, found.1)
    }

    private static func notFound(_ id: StreamID) -> ReadModelError {
        ReadModelError(
            .notFound,
            "session \(id) is not in the read model: check its id, and whether the projector has caught up "
                + "(`recorder projections status`)"
        )
    }
}

/// Sessions of the view `conversation_sessions`.
private struct SelectSessions: PostgresStatement {
    private let conditions: QueryConditions
    private let limit: Int

    init(id: StreamID) {
        var conditions = QueryConditions()
        conditions.add("id = ?", id.uuid)
        self.conditions = conditions
        limit = 1
    }

    init(_ filter: SessionFilter) {
        var conditions = QueryConditions()
        conditions.add("user_id = ?", filter.user?.uuid)
        conditions.add("state = ?", filter.state?.rawValue)
        conditions.add("? in (asr_provider, llm_provider, tts_provider)", filter.provider)
        conditions.add("started_at >= ?", filter.from.map { PostgresTimestamp($0) })
        conditions.add("started_at < ?", filter.until.map { PostgresTimestamp($0) })
        conditions.add("total_cost >= ?", filter.minimumCost.flatMap { PostgresDecimal($0.text) })
        if let hasErrors = filter.hasErrors { conditions.add(hasErrors ? "error_count > 0" : "error_count = 0") }
        if let hasAnomalies = filter.hasAnomalies { conditions.add(hasAnomalies ? "anomalies > 0" : "anomalies = 0") }
        if let place = filter.after {
            let id = conditions.placeholder(place.id.uuid)
            if let startedAt = place.startedAt {
                let moment = conditions.placeholder(PostgresTimestamp(startedAt))
                conditions.add("((started_at, id) < (\(moment), \(id)) or started_at is null)")
            } else {
                conditions.add("started_at is null and id < \(id)")
            }
        }
        self.conditions = conditions
        limit = min(max(1, filter.limit), SessionFilter.largestPage)
    }

    var sql: String {
        """
        select id, user_id, state, asr_provider, llm_provider, tts_provider, started_at, ended_at, last_event_at,
            version, total_turns, measured_turns, average_latency_ms, total_cost, uncosted_calls, interrupted_turns,
            error_count, anomalies, time_in_state, config
        from conversation_sessions \(conditions.sql)
        order by started_at desc nulls last, id desc limit \(limit)
        """
    }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try conditions.bind(&parameters) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Session {
        var timeInState: [String: Double] = [:]
        if case .object(let members) = try row.json(at: 18) {
            for member in members { timeInState[member.name] = member.value.double }
        }
        return Session(
            id: StreamID(try row.uuid(at: 0)),
            userID: try row.stream(at: 1),
            state: try row.decode(at: 2),
            asrProvider: try row.decode(at: 3),
            llmProvider: try row.decode(at: 4),
            ttsProvider: try row.decode(at: 5),
            startedAt: try row.moment(at: 6),
            endedAt: try row.moment(at: 7),
            lastEventAt: Timestamp(microseconds: try row.unixMicroseconds(at: 8)),
            version: try row.decode(at: 9),
            totalTurns: try row.decode(at: 10),
            measuredTurns: try row.decode(at: 11),
            averageLatencyMs: try row.decode(at: 12),
            totalCost: try row.money(at: 13),
            uncostedCalls: try row.decode(at: 14),
            interruptedTurns: try row.decode(at: 15),
            errorCount: try row.decode(at: 16),
            anomalies: try row.decode(at: 17),
            timeInState: timeInState,
            config: try row.json(at: 19)
        )
    }
}
