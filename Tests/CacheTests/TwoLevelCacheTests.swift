import Foundation
import Postgres
import RecorderTesting
import Synchronization
import Testing

@testable import Cache

@Suite(.timeLimit(.minutes(5))) struct TwoLevelCacheTests {
    private struct Broken: Error {}

    @Test func `what one process computed another finds, of every kind`() async throws {
        try await withCaches { _, one, other in
            let user = UUID()
            let vector = (0..<1_536).map { Float($0) * 0.001 - 0.5 }
            let matches = [VectorMatch.of("zażółć gęślą jaźń"), VectorMatch.of("")]
            let response = LLMResponse(text: "Good morning.", inputTokens: 12, outputTokens: nil)
            for (caches, isFirst) in [(one, true), (one, false), (other, false), (other, false)] {
                let computed = Shared(0)
                let foundVector = try await caches.embedding(of: "hello", model: "m") {
                    computed.add()
                    return vector
                }
                #expect(foundVector == vector)
                let foundMatches = try await caches.matches(of: .of(user)) {
                    computed.add()
                    return matches
                }
                #expect(foundMatches == matches)
                let foundResponse = try await caches.response(to: .of(user)) {
                    computed.add()
                    return response
                }
                #expect(foundResponse == response)
                #expect(computed.value == (isFirst ? 3 : 0))
            }
            for figures in one.figures {
                let counts: [Int] = [figures.misses, figures.tableHits, figures.memoryHits]
                #expect(counts == [1, 0, 1], "\(figures.kind)")
            }
            for figures in other.figures {
                let counts: [Int] = [figures.misses, figures.tableHits, figures.memoryHits]
                #expect(counts == [0, 1, 1], "\(figures.kind)")
            }
        }
    }

    @Test func `no matches at all is a result too`() async throws {
        try await withCaches { _, one, other in
            let user = UUID()
            let first = try await one.matches(of: .of(user)) { [] }
            let second = try await other.matches(of: .of(user)) { throw Broken() }
            #expect(first.isEmpty && second.isEmpty)
        }
    }

    @Test func `keys that differ anywhere have values of their own`() async throws {
        let (ann, bob) = (UUID(), UUID())
        let searches = [
            VectorSearch.of(ann), .of(bob), .of(ann, "other"),
            VectorSearch(user: ann, query: "opening hours", model: "m", limit: 3),
            VectorSearch(user: ann, query: "opening hours", model: "test-embedding", limit: 4),
            VectorSearch(user: ann, query: "opening hours", model: "test-embedding", limit: 3, filter: "x"),
            // The same text, cut elsewhere.
            VectorSearch(user: ann, query: "hours", model: "test-embeddingopening ", limit: 3),
        ]
        #expect(Set(searches.map(VectorSearchContent.address)).count == searches.count)
        let address = VectorSearchContent.address(of: searches[0])
        #expect(CacheAddress(user: ann, digest: address.digest) == address)
    }

    @Test func `an expired row is not served, is swept, and others stay`() async throws {
        try await withTestDatabase { configuration in
            // They do not run: the first sweep of one that does would come at any time.
            let one = try Caches(configuration, options: .patient, logger: TestServer.logger)
            let other = try Caches(configuration, options: .patient, logger: TestServer.logger)
            let user = UUID()
            for query in ["a", "b"] { _ = try await one.matches(of: .of(user, query)) { [.of("old")] } }
            try await sql(
                configuration,
                """
                update vector_search_cache set expires_at = now() - interval '1 second'
                where key = '\\x\(VectorSearchContent.address(of: .of(user, "a")).digest.hexadecimal)'
                """
            )
            let administration = CacheAdministration(one.pool)
            #expect(try await administration.tables().map(\.expired) == [0, 1, 0])
            let fresh = VectorMatch.of("new")
            #expect(try await other.matches(of: .of(user, "a")) { [fresh] } == [fresh])
            try await sql(configuration, "update vector_search_cache set expires_at = now() where texts = '{new}'")
            #expect(try await administration.sweep(batch: 1) == 1)
            #expect(try await sql(configuration, "select texts[1] from vector_search_cache") == [["old"]])
            for caches in [one, other] { await caches.close() }
        }
    }

    @Test func `who sweeps more often than it reports reports no more often`() async throws {
        let options = CacheOptions(reportInterval: .seconds(3_600), sweepInterval: .milliseconds(20))
        try await withCaches(options) { configuration, one, _ in
            let reports = "select process, kind, reported_at from cache_statistics order by 1, 2"
            try await eventually("both processes have reported") { try await sql(configuration, reports).count == 6 }
            let first = try await sql(configuration, reports)
            for text in ["a", "b", "c"] {
                _ = try await one.embedding(of: text, model: "m") { [1] }
                try await sql(configuration, "update embedding_cache set expires_at = now()")
                try await eventually("what has expired is swept") {
                    try await sql(configuration, "select 1 from embedding_cache").isEmpty
                }
            }
            #expect(try await sql(configuration, reports) == first)
        }
    }

    @Test func `what is found in the table is kept in memory as long as the table says, and no longer`() async throws {
        try await withCaches { configuration, one, other in
            let user = UUID()
            for query in ["found", "warm"] { _ = try await one.matches(of: .of(user, query)) { [.of(query)] } }
            try await sql(configuration, "update vector_search_cache set expires_at = now() + interval '60 seconds'")
            _ = try await other.matches(of: .of(user, "found")) { throw Broken() }
            #expect(try await other.searches.warm(user: user, count: 2) == 2)
            let third = try Caches(configuration, logger: TestServer.silent)
            third.searches.hear(true)
            _ = try await third.matches(of: .of(user, "found")) { throw Broken() }
            for (caches, query) in [(third, "found"), (other, "found"), (other, "warm")] {
                let address = VectorSearchContent.address(of: .of(user, query))
                let isThere = { (later: Duration) in
                    caches.searches.memory.state.withLock { $0.use(address, now: .now + later) } != nil
                }
                #expect(isThere(.zero), "\(query)")
                #expect(!isThere(.seconds(60)), "\(query)")
            }
            await third.close()
        }
    }

    @Test func `lifetimes are as configured, and one hour and half an hour otherwise`() async throws {
        let lifetimes = """
            select extract(epoch from max(expires_at - created_at))::int from embedding_cache union all
            select extract(epoch from max(expires_at - created_at))::int from vector_search_cache union all
            select extract(epoch from max(expires_at - created_at))::int from llm_response_cache
            """
        for (options, expected) in [
            (CacheOptions(), ["3600", "1800", "3600"]),
            (CacheOptions(lifetimes: [.embedding: .seconds(7), .llmResponse: .seconds(9)]), ["7", "1800", "9"]),
        ] {
            try await withCaches(options) { configuration, one, _ in
                _ = try await one.embedding(of: "a", model: "m") { [1] }
                _ = try await one.matches(of: .of(UUID())) { [] }
                _ = try await one.response(to: .of(UUID())) { LLMResponse(text: "") }
                #expect(try await sql(configuration, lifetimes).compactMap { $0[0] } == expected)
            }
        }
    }

    @Test func `a database that is away is no error: values are computed, and no user's is kept`() async throws {
        let nowhere = PostgresConfiguration(url: "host=/nowhere port=1 dbname=x", connectTimeout: .seconds(1))
        let caches = try Caches(nowhere, logger: TestServer.silent)
        #expect(try await caches.embedding(of: "a", model: "m") { [1] } == [1])
        #expect(try await caches.embedding(of: "a", model: "m") { throw Broken() } == [1])
        // Nobody would say that it has changed.
        #expect(try await caches.matches(of: .of(UUID())) { [] } == [])
        #expect(caches.figures.map(\.entries) == [1, 0, 0])
        #expect(caches.figures.map { $0.failed > 0 } == [true, true, false])
        await caches.close()
    }

    @Test func `what computing throws is what the caller gets`() async throws {
        try await withCaches { _, one, _ in
            await #expect(throws: Broken.self) { try await one.embedding(of: "a", model: "m") { throw Broken() } }
            let next = try await one.embedding(of: "a", model: "m") { [2] }
            #expect(next == [2])
        }
    }

    @Test func `the most used values are warm after a start, and a user's when asked`() async throws {
        try await withCaches { configuration, one, other in
            let user = UUID()
            for number in 0..<20 {
                _ = try await one.embedding(of: "\(number)", model: "m") { [Float(number)] }
                _ = try await one.matches(of: .of(user, "\(number)")) { [] }
                _ = try await one.matches(of: .of(UUID(), "\(number)")) { [] }
            }
            for _ in 0..<3 {
                for number in 5..<8 { _ = try await one.embedding(of: "\(number)", model: "m") { [] } }
            }
            await one.report()
            #expect(
                try await sql(configuration, "select hit_count from embedding_cache where hit_count > 0")
                    == [["3"], ["3"], ["3"]]
            )
            #expect(try await other.embeddings.warm(count: 3) == 3)
            for number in 5..<8 {
                #expect(try await other.embedding(of: "\(number)", model: "m") { throw Broken() } == [Float(number)])
            }
            #expect(other.figures[0].memoryHits == 3)
            #expect(other.figures[0].tableHits == 0)
            #expect(try await other.warm(user: user) == 20)
            _ = try await other.matches(of: .of(user, "3")) { throw Broken() }
            #expect(other.figures[1].memoryHits == 1)
        }
    }

    @Test func `a value that is asked for shortly before its end is computed anew for the next`() async throws {
        // With refreshAfter this low every value is soon to expire.
        try await withCaches(CacheOptions(refreshAfter: 1e-9)) { _, one, other in
            let user = UUID()
            let first = try await one.response(to: .of(user)) { LLMResponse(text: "first") }
            let (gate, second) = (Gate(), Shared(0))
            let refreshed: @Sendable () async throws -> LLMResponse = {
                second.add()
                try await gate.pass()
                return LLMResponse(text: "second")
            }
            let old = try await one.response(to: .of(user), compute: refreshed)
            await gate.waitForArrival()
            let stillOld = try await one.response(to: .of(user), compute: refreshed)
            gate.open()
            #expect([first.text, old.text, stillOld.text] == ["first", "first", "first"])
            try await eventually("the value is computed anew") {
                one.figures[2].refreshed > 0 && !one.responses.memory.isComputing
            }
            #expect(second.value == 1)
            for caches in [one, other] {
                let new = try await caches.response(to: .of(user)) { throw Broken() }
                #expect(new.text == "second")
            }
        }
    }

    @Test func `bad options are refused with their name`() throws {
        for (options, name) in [
            (CacheOptions(lifetimes: [.embedding: .zero]), "embedding"),
            (CacheOptions(refreshAfter: 0), "refreshAfter"),
            (CacheOptions(warmCount: -1), "warmCount"), (CacheOptions(sweepBatch: 0), "sweepBatch"),
            (CacheOptions(patience: .zero), "patience"), (CacheOptions(checkInterval: .zero), "interval"),
            (CacheOptions(byteLimits: [.llmResponse: -1]), "byte"),
        ] {
            let error = #expect(throws: CacheError.self) { try Caches(url: "", options: options) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains(name) == true)
        }
    }
}
