import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Cache

/// How long a lookup waits for a table that does not answer.
@Suite(.timeLimit(.minutes(5))) struct CachePatienceTests {
    /// Runs a test with caches that have stored an answer, with one connection, and wait for a second.
    private static func withFilledCaches(
        _ user: UUID,
        _ body: @Sendable (PostgresConfiguration, Caches) async throws -> Void
    ) async throws {
        try await withTestDatabase { configuration in
            var named = configuration
            named.applicationName = "patient"
            let caches = try Caches(named, options: CacheOptions(patience: .seconds(1)), logger: TestServer.silent)
            // On a busy machine the first connection may take longer than that.
            try await eventually("an answer is stored") {
                _ = try await caches.response(to: .of(user)) { LLMResponse(text: "stored") }
                return try await sql(configuration, "select 1 from llm_response_cache").count == 1
            }
            try await body(configuration, caches)
            await caches.close()
        }
    }

    @Test func `a table that is locked is done without, and found again later`() async throws {
        let user = UUID()
        try await Self.withFilledCaches(user) { configuration, caches in
            let failed = caches.figures[2].failed
            try await withConnection(configuration) { connection in
                try await connection.run(unsafeSQL: "begin; lock table llm_response_cache in access exclusive mode")
                for answer in ["first", "second", "third"] {
                    let found = try await caches.response(to: .of(user)) { LLMResponse(text: answer) }
                    #expect(found.text == answer)
                }
                #expect(caches.figures[2].failed > failed)
                try await connection.run(unsafeSQL: "rollback")
            }
            try await eventually("the table is asked again") {
                try await caches.response(to: .of(user)) { LLMResponse(text: "computed") }.text == "stored"
            }
        }
    }

    @Test func `a table that has just failed is not asked`() async throws {
        let user = UUID()
        try await withTestDatabase { configuration in
            var nowhere = configuration
            nowhere.url = "host=/nowhere port=1 dbname=x"
            // Nothing comes to an end in that time.
            let caches = try Caches(nowhere, options: CacheOptions(patience: .seconds(600)), logger: TestServer.silent)
            for _ in 0..<3 { _ = try await caches.response(to: .of(user)) { LLMResponse(text: "computed") } }
            #expect(caches.figures[2].failed == 1)
            await caches.close()
        }
    }

    @Test func `a server that keeps its connection and says nothing is done without`() async throws {
        let user = UUID()
        try await Self.withFilledCaches(user) { configuration, caches in
            let sessions = try await sql(
                configuration,
                "select pid from pg_stat_activity where application_name = 'patient'"
            ).compactMap { $0[0].flatMap { pid_t($0) } }
            try #require(!sessions.isEmpty)
            for session in sessions { kill(session, SIGSTOP) }
            defer { for session in sessions { kill(session, SIGCONT) } }
            let found = try await caches.response(to: .of(user)) { LLMResponse(text: "computed") }
            #expect(["computed", "stored"].contains(found.text))
        }
    }

    @Test func `limits have a bound, too`() {
        #expect(RateLimiter(url: "").pool.configuration.answerTimeout == .seconds(60))
    }
}
