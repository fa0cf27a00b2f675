package import FoundationEssentials
package import Postgres

/// Lets an operator see and reset rate limits.
package struct RateLimitAdministration: Sendable {
    /// A user's bucket of an endpoint, as it was left by the last request.
    package struct Bucket: Sendable {
        package let user: UUID
        package let endpoint: String
        /// Tokens now, with what flowed in since the last request.
        package let tokens: Double
        package let capacity: Double
        package let refillPerSecond: Double
        package let windowStartedAt: PostgresTimestamp
        /// Requests in the window that were allowed.
        package let windowCount: Int
        /// Requests in the window that were refused.
        package let windowRefused: Int
        package let lastAskedAt: PostgresTimestamp
    }

    private let pool: PostgresPool

    /// - Parameter pool: Its connections' search path has the schema first.
    package init(_ pool: PostgresPool) { self.pool = pool }

    /// The buckets of a user, of an endpoint, or all; those that refused most come first.
    ///
    /// - Throws: ``CacheError``; `CancellationError`.
    package func buckets(user: UUID? = nil, endpoint: String? = nil, limit: Int) async throws -> [Bucket] {
        do {
            return try await pool.query(SelectBuckets(user: user, endpoint: endpoint, limit: limit))
        } catch let error as PostgresError {
            throw CacheError(error, "the limits cannot be read")
        }
    }

    /// Refills buckets by deleting their rows: of a user, of an endpoint, or all.
    ///
    /// - Returns: How many.
    /// - Throws: ``CacheError``; `CancellationError`.
    package func reset(user: UUID? = nil, endpoint: String? = nil) async throws -> Int {
        do {
            return try await pool.execute(DeleteBuckets(user: user, endpoint: endpoint))
        } catch let error as PostgresError {
            throw CacheError(error, "the limits cannot be reset")
        }
    }
}

private struct SelectBuckets: PostgresStatement {
    let user: UUID?
    let endpoint: String?
    let limit: Int

    let sql = """
        select user_id, endpoint, least(capacity,
                tokens + greatest(0, extract(epoch from clock_timestamp() - taken_at))::float8 * refill_per_second),
            capacity, refill_per_second, window_started_at, window_count, window_refused, taken_at
        from rate_limits
        where user_id = coalesce($1, user_id) and endpoint = coalesce($2, endpoint)
        order by window_refused desc, taken_at desc limit $3
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(user)
        try parameters.append(endpoint)
        try parameters.append(limit)
    }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> RateLimitAdministration.Bucket {
        RateLimitAdministration.Bucket(
            user: try row.decode(at: 0),
            endpoint: try row.decode(at: 1),
            tokens: try row.decode(at: 2),
            capacity: try row.decode(at: 3),
            refillPerSecond: try row.decode(at: 4),
            windowStartedAt: try row.decode(at: 5),
            windowCount: try row.decode(at: 6),
            windowRefused: try row.decode(at: 7),
            lastAskedAt: try row.decode(at: 8)
        )
    }
}

private struct DeleteBuckets: PostgresStatement {
    let user: UUID?
    let endpoint: String?

    let sql = "delete from rate_limits where user_id = coalesce($1, user_id) and endpoint = coalesce($2, endpoint)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        try parameters.append(user)
        try parameters.append(endpoint)
    }
}
