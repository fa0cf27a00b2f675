public import FoundationEssentials
package import Postgres

/// Limits how often users use endpoints, across all processes: one token bucket for each user and endpoint.
///
/// One statement decides, under the lock of the bucket's row and by the database's clock: however many requests come at
/// once, no more are allowed than the bucket's capacity and refill permit. Other languages call the same SQL function
/// `take_token`.
public final class RateLimiter: Sendable {
    let pool: PostgresPool

    /// Opens the limits of a database; connections are made when they are needed.
    ///
    /// - Parameters:
    ///   - url: A libpq connection string or URI.
    ///   - schema: The schema that the migrations were run in.
    public convenience init(url: String, schema: String = "recorder") {
        self.init(PostgresPool(PostgresConfiguration(url: url, schema: schema, answerTimeout: .seconds(60))))
    }

    /// - Parameter pool: Its connections' search path has the schema first.
    package init(_ pool: PostgresPool) { self.pool = pool }

    /// Closes the connections.
    public func close() async { await pool.close() }

    /// Takes tokens, or says how long to wait.
    ///
    /// - Parameters:
    ///   - cost: How many tokens the request takes, at most the limit's capacity.
    ///   - user: The user whose bucket it is.
    ///   - endpoint: What is limited, 1 … 200 bytes.
    ///   - limit: How much is allowed; an existing bucket adopts a changed limit.
    ///   - window: The length of the window in which requests are counted for reports.
    /// - Throws: ``CacheError`` with `.invalidArgument`, `.unavailable`, `.notInstalled` or `.refused`;
    ///   `CancellationError`.
    public func take(
        _ cost: Double = 1,
        user: UUID,
        endpoint: String,
        limit: RateLimit,
        window: Duration = .seconds(60)
    ) async throws -> RateDecision {
        guard (1...200).contains(endpoint.utf8.count) else {
            throw CacheError(.invalidArgument, "an endpoint's name has 1 to 200 bytes, not \(endpoint.utf8.count)")
        }
        let statement = TakeToken(endpoint: endpoint, limit: limit, cost: cost, window: window)
        do {
            let rows = try await pool.withConnection { try await $0.pipeline(ActFor(user), statement).1 }
            guard let decision = rows.first else { throw CacheError(.refused, "take_token gave no answer") }
            return decision
        } catch let error as PostgresError {
            // Source: PostgreSQL manual, appendix A: 22023 invalid_parameter_value.
            guard error.sqlState == "22023" else {
                throw CacheError(error, "the limit of '\(endpoint)' cannot be asked")
            }
            throw CacheError(.invalidArgument, "the limit of '\(endpoint)'", cause: error)
        }
    }
}

/// Takes tokens from the acting user's bucket.
private struct TakeToken: PostgresStatement {
    let endpoint: String
    let limit: RateLimit
    let cost: Double
    let window: Duration

    let sql = """
        select allowed, remaining, extract(epoch from retry_after)::float8, window_started_at, window_count
        from take_token($1, $2, $3, $4, make_interval(secs => $5))
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(endpoint)
        try parameters.append(limit.capacity)
        try parameters.append(limit.refillPerSecond)
        try parameters.append(cost)
        try parameters.append(window / .seconds(1))
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> RateDecision {
        let start = try row.unixMicroseconds(at: 3)
        return RateDecision(
            endpoint: endpoint,
            isAllowed: try row.decode(at: 0),
            remaining: try row.decode(at: 1),
            retryAfter: .seconds(try row.decode(Double.self, at: 2)),
            windowStartedAt: Date(timeIntervalSince1970: Double(start) / 1_000_000),
            windowCount: try row.decode(at: 4)
        )
    }
}
