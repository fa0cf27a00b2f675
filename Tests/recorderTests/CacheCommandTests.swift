import Cache
import EventModel
import Foundation
import Postgres
import RecorderTesting
import Testing

/// `recorder cache` and `recorder limits`, on caches that another process has filled.
@Suite struct CacheCommandTests {
    private static func run(_ database: PostgresConfiguration, _ arguments: String...) async throws -> [JSONValue] {
        let result = try await RecorderCommand(arguments + ["--json"], databaseURL: database.url).result()
        #expect(result.status == 0, "\(result.errors)")
        return try result.json()
    }

    @Test func `stats show tables and processes, and clear empties what it is told to`() async throws {
        try await withTestDatabase { database in
            let (ann, bob) = (UUID(), UUID())
            let caches = try Caches(database, options: CacheOptions(patience: .seconds(60)), logger: TestServer.logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await caches.run() }
                try await caches.waitUntilHearing()
                for _ in 0..<3 { _ = try await caches.embedding(of: "a", model: "m") { [1, 2] } }
                for user in [ann, bob] { _ = try await caches.matches(of: .of(user)) { [] } }

                let cleared = try await Self.run(database, "cache", "clear", "--user", ann.uuidString)
                #expect(cleared.map { $0["cache"]?.string } == ["vector_search", "llm_response"])
                #expect(cleared.map { $0["rows"]?.integer } == [1, 0])
                try await caches.catchUp()
                #expect(caches.figures.map(\.entries) == [1, 1, 0])
                group.cancelAll()
            }
            // The service has said what it did when it ended.
            let stats = try await Self.run(database, "cache", "stats")
            #expect(stats.prefix(3).map { $0["rows"]?.integer } == [1, 1, 0])
            #expect(stats.first?["hits"]?.integer == 2)
            let process = try #require(stats.dropFirst(3).first)
            #expect(process["cache"]?.string == "embedding")
            #expect(process["memoryHits"]?.integer == 2)
            #expect(process["misses"]?.integer == 1)
            #expect(process["process"]?.string?.hasSuffix(":\(getpid())") == true)

            let all = try await Self.run(database, "cache", "clear")
            #expect(all.reduce(0) { $0 + ($1["rows"]?.integer ?? 0) } == 2)
            #expect(try await Self.run(database, "cache", "clear", "--expired").first?["expired"]?.integer == 0)
            let table = try await RecorderCommand.run("cache", "stats", databaseURL: database.url)
            // What was found in a table is counted for a process alone.
            #expect(table.lines.first?.contains("memory hits") == true)
            await caches.close()
        }
    }

    @Test func `limits are listed, and filled again`() async throws {
        try await withTestDatabase { database in
            let (ann, bob) = (UUID(), UUID())
            let pool = PostgresPool(database, logger: TestServer.logger)
            let limiter = RateLimiter(pool)
            let limit = RateLimit(capacity: 2, refillPerSecond: 0.001)
            for _ in 0..<5 { _ = try await limiter.take(user: ann, endpoint: "chat", limit: limit) }
            _ = try await limiter.take(user: bob, endpoint: "search", limit: limit)

            let listed = try await Self.run(database, "limits", "list")
            #expect(listed.map { $0["user"]?.string } == [ann, bob].map { $0.uuidString.lowercased() })
            #expect(listed.first?["windowCount"]?.integer == 2)
            #expect(listed.first?["windowRefused"]?.integer == 3)
            #expect(try await Self.run(database, "limits", "list", "--endpoint", "search").count == 1)
            let reset = try await Self.run(database, "limits", "reset", "--user", ann.uuidString, "--endpoint", "chat")
            #expect(reset.first?["filled"]?.integer == 1)
            #expect(try await limiter.take(user: ann, endpoint: "chat", limit: limit).isAllowed)
            #expect(try await Self.run(database, "limits", "reset", "--all").first?["filled"]?.integer == 2)
            await pool.close()
        }
    }

    @Test(arguments: [
        (["cache", "clear", "--kind", "embedding", "--user", "019cad8f-ac00-7e4e-a7b6-815d4e98868f"], "no user"),
        (["cache", "clear", "--expired", "--kind", "embedding"], "--expired"),
        (["cache", "clear", "--kind", "other"], "llm_response"), (["cache", "clear", "--user", "x"], "--user"),
        (["limits", "reset"], "--all"), (["limits", "reset", "--all", "--endpoint", "chat"], "--all"),
        (["limits", "list", "--limit", "-1"], "--limit"),
    ])
    func `wrong use ends with 2 and says why`(arguments: [String], word: String) async throws {
        let result = try await RecorderCommand(arguments, databaseURL: "host=/nowhere").result()
        #expect(result.status == 2)
        #expect(result.errors.contains(word), "\(result.errors)")
    }

    @Test func `without the tables it says what to do`() async throws {
        try await withTestDatabase(.empty) { database in
            for arguments in [
                ["cache", "stats"], ["cache", "clear"], ["limits", "list"], ["limits", "reset", "--all"],
            ] {
                let result = try await RecorderCommand(arguments, databaseURL: database.url).result()
                #expect(result.status == 1)
                #expect(result.errors.contains("recorder migrate up"), "\(result.errors)")
            }
        }
    }
}

extension VectorSearch {
    fileprivate static func of(_ user: UUID) -> VectorSearch {
        VectorSearch(user: user, query: "opening hours", model: "m", limit: 3)
    }
}
