internal import EventModel
internal import FoundationEssentials
internal import Postgres

extension ReadModels {
    /// Costs, summed.
    ///
    /// - Parameters:
    ///   - dimensions: What to sum by, in the order of the result; none gives one sum of all.
    ///   - filter: Which costs.
    /// - Throws: ``ReadModelError``; `CancellationError`.
    public func costs(by dimensions: [CostDimension], _ filter: CostFilter = CostFilter()) async throws -> [CostSum] {
        try await rows(SelectCosts(dimensions: dimensions, filter: filter))
    }
}

/// Sums over the view `conversation_costs`.
private struct SelectCosts: PostgresStatement {
    private static let columns: [(dimension: CostDimension, sql: String, nothing: String)] = [
        (.day, "day::timestamp at time zone 'UTC'", "null::timestamptz"), (.stage, "stage", "null::text"),
        (.provider, "provider", "null::text"),
        (.model, "model", "null::text"), (.session, "session_id", "null::uuid"),
    ]

    private let dimensions: [CostDimension]
    private let conditions: QueryConditions

    init(dimensions: [CostDimension], filter: CostFilter) {
        self.dimensions = dimensions
        var conditions = QueryConditions()
        conditions.add("session_id = ?", filter.session?.uuid)
        conditions.add("session_id in (select id from conversation_sessions where user_id = ?)", filter.user?.uuid)
        conditions.add("day >= (? at time zone 'UTC')::date", filter.from.map { PostgresTimestamp($0) })
        conditions.add("day < (? at time zone 'UTC')::date", filter.until.map { PostgresTimestamp($0) })
        conditions.add("stage = ?", filter.stage?.rawValue)
        conditions.add("provider = ?", filter.provider)
        conditions.add("model = ?", filter.model)
        self.conditions = conditions
    }

    /// The sum of a column, clamped to 64 bits: a call that claims too many tokens must not hide the others' costs.
    private static func sum(_ column: String) -> String {
        "greatest(least(coalesce(sum(\(column)), 0), \(Int64.max)), -\(Int64.max))::bigint"
    }

    var sql: String {
        let selected = Self.columns.map { dimensions.contains($0.dimension) ? $0.sql : $0.nothing }
        let grouped = dimensions.compactMap { dimension in Self.columns.first { $0.dimension == dimension }?.sql }
        let keys = grouped.joined(separator: ", ")
        return """
            select \(selected.joined(separator: ", ")), \(Self.sum("calls")),
                \(Self.sum("input_tokens")), \(Self.sum("cached_input_tokens")),
                \(Self.sum("output_tokens")), sum(cost), \(Self.sum("uncosted_calls"))
            from conversation_costs \(conditions.sql)
            \(grouped.isEmpty ? "" : "group by \(keys) order by \(keys)")
            """
    }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try conditions.bind(&parameters) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> CostSum {
        CostSum(
            day: try row.moment(at: 0).map { String($0.description.prefix(10)) },
            stage: try row.decode(at: 1),
            provider: try row.decode(at: 2),
            model: try row.decode(at: 3),
            session: try row.stream(at: 4),
            calls: try row.decode(at: 5),
            inputTokens: try row.decode(at: 6),
            cachedInputTokens: try row.decode(at: 7),
            outputTokens: try row.decode(at: 8),
            cost: try row.money(at: 9),
            uncostedCalls: try row.decode(at: 10)
        )
    }
}
