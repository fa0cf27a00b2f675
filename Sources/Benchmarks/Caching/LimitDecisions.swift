internal import Cache
internal import Foundation
internal import Postgres

/// `limits`: rate-limit decisions per second, against bare UPDATEs of a row by its key, on as many connections.
struct LimitDecisions: Benchmark {
    private static let users = 1_000
    private static let decisions = 20_000

    /// Counts a row down, and knows nothing of time or limits.
    private struct CountDown: PostgresStatement {
        let sql = "update plain_limits set tokens = tokens - 1 where user_id = $1 and endpoint = $2 returning tokens"
        let user: UUID

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(user)
            try parameters.append("chat")
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Double { try row.decode(at: 0) }
    }

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        try await run.server.withDatabase(.recorder) { database in
            let width = min(run.options.producers, 64)
            return try await PostgresPool.with(database, limits: .init(size: width), logger: run.logger) { pool in
                let limiter = RateLimiter(pool)
                let limit = RateLimit(capacity: 1_000_000, refillPerSecond: 1_000_000)
                let users = (0..<Self.users).map { _ in UUID() }
                try await pool.withConnection { connection in
                    try await connection.run(
                        unsafeSQL: """
                            create unlogged table plain_limits (user_id uuid, endpoint text, tokens double precision,
                                primary key (user_id, endpoint)) with (fillfactor = 50);
                            insert into plain_limits
                            select user_id::uuid, 'chat', 0
                            from unnest('{\(users.map(\.uuidString).joined(separator: ","))}'::text[]) as user_id
                            """
                    )
                }
                var measurements: [Measurement] = []
                for (name, users) in [("limits", users), ("limits.one-bucket", Array(users.prefix(1)))] {
                    let rounds = try await run.rounds(name) {
                        try await Self.perSecond(width, users) { user in
                            let decision = try await limiter.take(user: user, endpoint: "chat", limit: limit)
                            guard decision.isAllowed else { throw BenchmarkError(.process, "a limit is too narrow") }
                        }
                    } against: {
                        try await Self.perSecond(width, users) { _ = try await pool.first(CountDown(user: $0)) }
                    }
                    measurements.append(
                        .rate(
                            name,
                            unit: "decisions/s",
                            rounds,
                            settings: [
                                "connections": "\(width)", "buckets": "\(users.count)",
                                "limit": "a bare UPDATE of one row of an unlogged table by its key",
                            ]
                        )
                    )
                }
                return measurements
            }
        }
    }

    private static func perSecond(
        _ width: Int,
        _ users: [UUID],
        _ decide: @escaping @Sendable (UUID) async throws -> Void
    ) async throws -> Double {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<width {
                group.addTask {
                    for number in stride(from: task, to: decisions, by: width) {
                        try await decide(users[(number &* 7_919) % users.count])
                    }
                }
            }
            try await group.waitForAll()
        }
        return Double(decisions) / start.duration(to: .now).seconds
    }
}
