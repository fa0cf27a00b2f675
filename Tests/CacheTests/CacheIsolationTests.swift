import Foundation
import Postgres
import RecorderTesting
import Testing

@testable import Cache

/// A service that acts for a user gets at that user's rows only.
@Suite struct CacheIsolationTests {
    private static let tables = ["vector_search_cache", "llm_response_cache", "rate_limits"]

    /// Runs a test as `recorder_service`, with rows of two users in each table.
    private static func asService(
        _ body: (PostgresConnection, _ ann: UUID, _ bob: UUID) async throws -> Void
    ) async throws {
        try await withTestConnection { connection in
            let (ann, bob) = (UUID(), UUID())
            for user in [ann, bob] {
                try await connection.run(
                    unsafeSQL: """
                        begin;
                        set local recorder.user_id = '\(user)';
                        select take_token('chat', 5, 1);
                        insert into vector_search_cache (user_id, key, document_ids, chunks, scores, texts, generation, expires_at)
                        values ('\(user)', sha256('k'), '{}', '{}', '{}', '{}', 0, now() + interval '1 hour');
                        insert into llm_response_cache (user_id, key, model, response, generation, expires_at)
                        values ('\(user)', sha256('k'), 'm', 'secret of \(user)', 0, now() + interval '1 hour');
                        select clear_cache('vector_search', gen_random_uuid());
                        commit
                        """
                )
            }
            try await connection.run(unsafeSQL: "set role recorder_service")
            try await body(connection, ann, bob)
        }
    }

    @Test func `who says nothing sees nothing, who acts for a user sees that user's`() async throws {
        try await Self.asService { connection, ann, bob in
            for table in Self.tables {
                #expect(try await connection.text(unsafeSQL: "select count(*) from \(table)") == [["0"]])
                for user in [ann, bob] {
                    let seen = try await connection.text(
                        unsafeSQL: "begin; set local recorder.user_id = '\(user)'; select user_id from \(table)"
                    )
                    try await connection.run(unsafeSQL: "commit")
                    #expect(seen == [[user.uuidString.lowercased()]])
                }
                // The setting went with its transaction.
                #expect(try await connection.text(unsafeSQL: "select count(*) from \(table)") == [["0"]])
            }
            #expect(try await connection.text(unsafeSQL: "select count(*) from cache_generations") == [["0"]])
        }
    }

    @Test func `nothing of another user can be changed, taken over or planted`() async throws {
        try await Self.asService { connection, ann, bob in
            func attempt(_ statement: String) async throws -> Int {
                try await connection.run(unsafeSQL: "begin; set local recorder.user_id = '\(ann)'")
                do {
                    let rows = try await connection.text(unsafeSQL: statement)
                    try await connection.run(unsafeSQL: "rollback")
                    return rows.count
                } catch {
                    try await connection.run(unsafeSQL: "rollback")
                    throw error
                }
            }
            for table in Self.tables.dropLast() {
                var touched: [Int] = []
                for statement in [
                    "update \(table) set hit_count = 9 where user_id = '\(bob)' returning 1",
                    "delete from \(table) where user_id = '\(bob)' returning 1", "delete from \(table) returning 1",
                ] { touched.append(try await attempt(statement)) }
                #expect(touched == [0, 0, 1])
                let taken = await #expect(throws: PostgresError.self) {
                    try await attempt("update \(table) set user_id = '\(bob)' returning 1")
                }
                #expect(taken?.sqlState == "42501")
            }
            let planted = await #expect(throws: PostgresError.self) {
                try await attempt(
                    """
                    insert into llm_response_cache (user_id, key, model, response, generation, expires_at)
                    values ('\(bob)', sha256('k'), 'm', 'planted', 9, now() + interval '1 hour')
                    on conflict (user_id, key) do update set response = excluded.response returning 1
                    """
                )
            }
            #expect(planted?.sqlState == "42501")
            #expect(planted?.description.contains("secret") == false)
            // Its own bucket too is changed by taking only.
            for statement in [
                "update rate_limits set tokens = 5 returning 1", "delete from rate_limits returning 1",
                "insert into cache_generations values ('llm_response', '\(ann)', 1, now()) returning 1",
                "select clear_cache()", "select cache_table_figures()", "select watch_documents('rate_limits')",
                "truncate llm_response_cache",
            ] {
                let refused = await #expect(throws: PostgresError.self) { try await attempt(statement) }
                #expect(refused?.sqlState == "42501", "\(statement)")
            }
        }
    }

    @Test func `a temporary table does not take a function's table's place`() async throws {
        try await Self.asService { connection, ann, _ in
            try await connection.run(
                unsafeSQL:
                    "reset role; grant temporary on database \(try await Self.database(connection)) to public; set role recorder_service"
            )
            try await connection.run(
                unsafeSQL: "create temporary table rate_limits as select * from recorder.rate_limits"
            )
            let left = try await connection.text(
                unsafeSQL: """
                    begin; set local recorder.user_id = '\(ann)';
                    select floor(remaining) from recorder.take_token('chat', 5, 0.001)
                    """
            )
            #expect(left == [["3"]])
            try await connection.run(unsafeSQL: "rollback")
        }
    }

    @Test func `hits are counted in the caches only, not in a table that the caller made`() async throws {
        try await Self.asService { connection, ann, _ in
            for kind in ["'mine'", "null"] {
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.run(
                        unsafeSQL: "select count_cache_hits(\(kind), '{\(ann)}', array['\\x00'::bytea], '{1}')"
                    )
                }
                #expect(error?.sqlState == "22023")
            }
        }
    }

    @Test func `hits are counted in the acting user's rows only, and no number breaks the figures`() async throws {
        try await Self.asService { connection, ann, bob in
            func count(_ user: UUID, _ hits: Int64) async throws {
                try await connection.run(
                    unsafeSQL: """
                        begin; set local recorder.user_id = '\(ann)';
                        select count_cache_hits('llm_response', '{\(user)}', array[sha256('k')], '{\(hits)}'); commit
                        """
                )
            }
            for hits: Int64 in [1, .max, 0, -5, .min] { try await count(bob, hits) }
            for hits: Int64 in [2, .max, 0, -5, .min] { try await count(ann, hits) }
            try await connection.run(unsafeSQL: "reset role")
            let counted = "select hit_count from llm_response_cache order by user_id = '\(bob)'"
            #expect(try await connection.text(unsafeSQL: counted) == [["1000002"], ["0"]])

            try await connection.run(unsafeSQL: "update llm_response_cache set hit_count = \(Int64.max)")
            try await count(ann, 1)
            let figures = "select hits from cache_table_figures() where kind = 'llm_response'"
            #expect(try await connection.text(unsafeSQL: figures) == [["\(Int64.max)"]])
        }
    }

    private static func database(_ connection: PostgresConnection) async throws -> String {
        PostgresConfiguration.quotedIdentifier(
            try await connection.text(unsafeSQL: "select current_database()")[0][0] ?? ""
        )
    }

    @Test func `caches and limits work for a login that is nothing but a service`() async throws {
        try await withTestDatabase { configuration in
            var service = configuration
            service.settings["role"] = "recorder_service"
            let caches = try Caches(service, options: .patient, logger: TestServer.logger)
            let (ann, bob) = (UUID(), UUID())
            for user in [ann, bob] {
                for text in ["computed", "unused"] {
                    let found = try await caches.response(to: .of(user)) { LLMResponse(text: "\(text) for \(user)") }
                    #expect(found.text == "computed for \(user)")
                }
                #expect(try await caches.matches(of: .of(user)) { [] } == [])
            }
            #expect(try await caches.embedding(of: "a", model: "m") { [1] } == [1])
            #expect(caches.figures.map(\.failed) == [0, 0, 0])
            _ = try await caches.embedding(of: "a", model: "m") { [] }
            await caches.report()
            #expect(
                try await sql(
                    configuration,
                    "select kind, memory_hits, table_hits, misses from cache_statistics order by 1"
                )
                    == [
                        ["embedding", "1", "0", "1"], ["llm_response", "0", "2", "2"],
                        ["vector_search", "0", "0", "2"],
                    ]
            )
            #expect(try await caches.sweep() == 0)
            let limiter = RateLimiter(caches.pool)
            let limit = RateLimit(capacity: 1, refillPerSecond: 0.001)
            #expect(try await limiter.take(user: ann, endpoint: "chat", limit: limit).isAllowed)
            #expect(try await !limiter.take(user: ann, endpoint: "chat", limit: limit).isAllowed)
            #expect(try await limiter.take(user: bob, endpoint: "chat", limit: limit).isAllowed)
            await caches.close()
        }
    }
}
