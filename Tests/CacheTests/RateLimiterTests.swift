import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Cache

@Suite struct RateLimiterTests {
    /// Runs a test with a limiter of its own database.
    private static func withLimiter(
        connections: Int = 8,
        _ body: @Sendable (PostgresConfiguration, RateLimiter) async throws -> Void
    ) async throws {
        try await withTestDatabase { configuration in
            let pool = PostgresPool(configuration, limits: .init(size: connections), logger: TestServer.logger)
            try await body(configuration, RateLimiter(pool))
            await pool.close()
        }
    }

    @Test func `a burst up to the capacity is let through, then each waits its time`() async throws {
        try await Self.withLimiter { configuration, limiter in
            let user = UUID()
            let limit = RateLimit(capacity: 3, refillPerSecond: 0.01)
            for left in [2.0, 1, 0] {
                let decision = try await limiter.take(user: user, endpoint: "chat", limit: limit)
                #expect(decision.isAllowed)
                #expect(decision.retryAfter == .zero)
                #expect(abs(decision.remaining - left) < 0.1)
            }
            let refused = try await limiter.take(user: user, endpoint: "chat", limit: limit)
            #expect(!refused.isAllowed)
            #expect(refused.windowCount == 3)
            #expect(refused.retryAfter > .seconds(80) && refused.retryAfter <= .seconds(100))
            #expect(refused.description.contains("try again in"))
            // After that time it is let through: the bucket's clock is set back instead of waiting.
            let wait = refused.retryAfter / .seconds(1)
            for (seconds, isAllowed) in [(wait - 5, false), (5.001, true), (0, false)] {
                try await sql(
                    configuration,
                    "update rate_limits set taken_at = taken_at - make_interval(secs => \(seconds))"
                )
                #expect(try await limiter.take(user: user, endpoint: "chat", limit: limit).isAllowed == isAllowed)
            }
        }
    }

    @Test func `users, endpoints and costs are kept apart`() async throws {
        try await Self.withLimiter { _, limiter in
            let (ann, bob) = (UUID(), UUID())
            let limit = RateLimit(capacity: 10, refillPerSecond: 0.001)
            #expect(try await limiter.take(7, user: ann, endpoint: "chat", limit: limit).isAllowed)
            let refused = try await limiter.take(4, user: ann, endpoint: "chat", limit: limit)
            #expect(!refused.isAllowed)
            #expect(refused.retryAfter > .seconds(900))
            #expect(try await limiter.take(3, user: ann, endpoint: "chat", limit: limit).isAllowed)
            #expect(try await limiter.take(10, user: ann, endpoint: "search", limit: limit).isAllowed)
            #expect(try await limiter.take(10, user: bob, endpoint: "chat", limit: limit).isAllowed)
        }
    }

    @Test func `a limit that is lowered or raised is followed`() async throws {
        try await Self.withLimiter { _, limiter in
            let user = UUID()
            func take(_ capacity: Double) async throws -> RateDecision {
                try await limiter.take(
                    user: user,
                    endpoint: "e",
                    limit: .init(capacity: capacity, refillPerSecond: 0.001)
                )
            }
            var remaining: [Double] = []
            for capacity in [100.0, 2, 100] { remaining.append(try await take(capacity).remaining.rounded()) }
            #expect(remaining == [99, 1, 0])
            let refused = try await take(100)
            #expect(!refused.isAllowed)
        }
    }

    @Test func `the window's start and counts are kept, and begin anew when it is over`() async throws {
        try await Self.withLimiter { configuration, limiter in
            let user = UUID()
            let limit = RateLimit(capacity: 4, refillPerSecond: 0.001)
            var starts: Set<Date> = []
            for _ in 0..<6 {
                starts.insert(try await limiter.take(user: user, endpoint: "chat", limit: limit).windowStartedAt)
            }
            #expect(starts.count == 1)
            let buckets = try await RateLimitAdministration(limiter.pool).buckets(limit: 10)
            #expect(buckets.map { [$0.windowCount, $0.windowRefused] } == [[4, 2]])
            try await sql(
                configuration,
                "update rate_limits set window_started_at = now() - interval '61 s', tokens = 4"
            )
            let next = try await limiter.take(user: user, endpoint: "chat", limit: limit)
            #expect(next.windowCount == 1)
            #expect(!starts.contains(next.windowStartedAt))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `64 connections at once get no more than the capacity and what flowed in, and no less`() async throws {
        try await Self.withLimiter(connections: 64) { configuration, limiter in
            let users = [UUID(), UUID()]
            let limit = RateLimit(capacity: 50, refillPerSecond: 40)
            let allowed = users.map { _ in Shared(0) }
            let started = try await sql(configuration, "select extract(epoch from clock_timestamp())")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<64 {
                    group.addTask {
                        for _ in 0..<30 {
                            let decision = try await limiter.take(user: users[task % 2], endpoint: "chat", limit: limit)
                            if decision.isAllowed { allowed[task % 2].add() }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let ended = try await sql(
                configuration,
                "select extract(epoch from clock_timestamp()), min(window_count), sum(window_count + window_refused) from rate_limits"
            )
            let elapsed = try #require(ended[0][0].flatMap { Double($0) }) - (started[0][0].flatMap { Double($0) } ?? 0)
            #expect(ended[0][2] == "1920", "no request is lost from the counts")
            for count in allowed.map(\.value) {
                #expect(Double(count) <= 50 + 40 * elapsed)
                #expect(count >= 50)
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `64 processes of another program get no more either`() async throws {
        try await Self.withLimiter { configuration, limiter in
            let user = UUID()
            let script = """
                set search_path = recorder;
                set recorder.user_id = '\(user)';
                select extract(epoch from clock_timestamp());
                """ + String(repeating: "select allowed from take_token('chat', 20, 10);\n", count: 25)
                + "select extract(epoch from clock_timestamp());"
            let (allowed, first, last) = try await withThrowingTaskGroup(of: (Int, Double, Double).self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        let said = try await ChildProgram.run(
                            "psql",
                            ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", configuration.url],
                            input: script
                        )
                        let times = [said.lines.first, said.lines.last].compactMap { $0.flatMap { Double($0) } }
                        try #require(times.count == 2 && said.lines.count == 27)
                        return (said.lines.count { $0 == "t" }, times[0], times[1])
                    }
                }
                return try await group.reduce((0, Double.infinity, 0)) {
                    ($0.0 + $1.0, min($0.1, $1.1), max($0.2, $1.2))
                }
            }
            #expect(Double(allowed) <= 20 + 10 * (last - first))
            #expect(allowed >= 20)
            let counts = try await sql(configuration, "select window_count + window_refused from rate_limits")
            if last - first < 60 { #expect(counts == [["1600"]]) }
        }
    }

    @Test func `buckets that are full and idle are swept, others stay`() async throws {
        try await Self.withLimiter { configuration, limiter in
            for number in 0..<10 {
                let limit = RateLimit(capacity: 2, refillPerSecond: number < 4 ? 1 : 0.001)
                _ = try await limiter.take(user: UUID(), endpoint: "\(number)", limit: limit)
            }
            try await sql(
                configuration,
                """
                update rate_limits set taken_at = taken_at - interval '61 minutes', full_at = full_at - interval '61 minutes'
                where endpoint <> '0'
                """
            )
            // Number 0 was used just now; those from 4 on are not full for an hour yet.
            #expect(try await CacheAdministration(limiter.pool).sweep(batch: 2) == 3)
            let left = try await sql(configuration, "select endpoint from rate_limits order by 1")
            #expect(left.compactMap { $0[0] } == ["0", "4", "5", "6", "7", "8", "9"])
        }
    }

    @Test func `a bucket that two limits are asked of counts as full when it is by both`() async throws {
        try await Self.withLimiter { configuration, limiter in
            let user = UUID()
            for limit in [
                RateLimit(capacity: 10, refillPerSecond: 0.001), RateLimit(capacity: 1, refillPerSecond: 1_000),
            ] {
                let decision = try await limiter.take(user: user, endpoint: "e", limit: limit)
                #expect(decision.isAllowed)
            }
            let notYet = "select count(*) from rate_limits where full_at > now() + interval '1 hour'"
            #expect(try await sql(configuration, notYet) == [["1"]])
        }
    }

    @Test func `what cannot be is refused and says why`() async throws {
        try await Self.withLimiter { _, limiter in
            for (cost, endpoint, capacity, refill, word) in [
                (1, "", 1, 1, "endpoint"), (1, String(repeating: "e", count: 201), 1, 1, "endpoint"),
                (2, "e", 1, 1, "capacity"), (0, "e", 1, 1, "more than 0"), (1, "e", 0, 1, "above 0"),
                (1, "e", 1, 0, "above 0"), (1, "e", .infinity, 1, "above 0"), (1, "e", 1, .nan, "above 0"),
                (1, "e", 2e12, 1, "1e12"), (1, "e", 1, 2e12, "1e12"), (1, "e", 1, 1e-300, "1e-12"),
            ] as [(Double, String, Double, Double, String)] {
                let error = await #expect(throws: CacheError.self) {
                    try await limiter.take(
                        cost,
                        user: UUID(),
                        endpoint: endpoint,
                        limit: RateLimit(capacity: capacity, refillPerSecond: refill)
                    )
                }
                #expect(error?.code == .invalidArgument)
                #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
            }
        }
    }

    @Test func `a clock that was set back lets nobody through early, and the wait that is told is enough`() async throws
    {
        try await Self.withLimiter { configuration, limiter in
            let user = UUID()
            let limit = RateLimit(capacity: 1, refillPerSecond: 1)
            #expect(try await limiter.take(user: user, endpoint: "chat", limit: limit).isAllowed)
            try await sql(configuration, "update rate_limits set taken_at = taken_at + interval '1 hour'")
            let refused = try await limiter.take(user: user, endpoint: "chat", limit: limit)
            #expect(!refused.isAllowed)
            #expect(refused.retryAfter > .seconds(3_590) && refused.retryAfter <= .seconds(3_601))
        }
    }

    @Test func `the smallest and the largest limits are reckoned with`() async throws {
        try await Self.withLimiter { _, limiter in
            let user = UUID()
            let slow = RateLimit(capacity: 1e12, refillPerSecond: 1e-12)
            let long = Duration.seconds(90 * 365.25 * 86_400)
            #expect(try await limiter.take(1e12, user: user, endpoint: "slow", limit: slow, window: long).isAllowed)
            let refused = try await limiter.take(1e12, user: user, endpoint: "slow", limit: slow, window: long)
            #expect(refused.retryAfter > .seconds(9e8))
            let fast = RateLimit(capacity: 1, refillPerSecond: 1e12)
            for _ in 0..<3 {
                #expect(
                    try await limiter.take(.leastNormalMagnitude, user: user, endpoint: "fast", limit: fast).isAllowed
                )
            }
            let error = await #expect(throws: CacheError.self) {
                try await limiter.take(user: user, endpoint: "fast", limit: fast, window: .seconds(1e10))
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func `without saying for whom nothing is taken`() async throws {
        try await withTestConnection { connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run(unsafeSQL: "select take_token('chat', 1, 1)")
            }
            #expect(error?.sqlState == "42501")
            #expect(error?.hint?.contains("recorder.user_id") == true)
        }
    }

    @Test func `where the tables are missing it says what to do`() async throws {
        try await withTestDatabase(.empty) { configuration in
            let limiter = RateLimiter(PostgresPool(configuration, logger: TestServer.logger))
            let error = await #expect(throws: CacheError.self) {
                try await limiter.take(user: UUID(), endpoint: "e", limit: .every(.seconds(60), 10))
            }
            #expect(error?.code == .notInstalled)
            #expect(error?.description.contains("recorder migrate up") == true)
            await limiter.close()
        }
    }
}
