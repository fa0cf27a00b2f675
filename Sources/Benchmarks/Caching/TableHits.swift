internal import Cache
internal import Foundation
internal import Postgres

/// `cache.l2`: how long a hit in a cache's table takes, against a bare SELECT of the same row by its key.
struct TableHits: Benchmark {
    private static let rows = 1_000
    private static let lookups = 5_000

    /// One row's value, and nothing else.
    private struct SelectVector: PostgresStatement {
        let sql = "select embedding from embedding_cache where key = $1"
        let address: CacheAddress

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(bytes: address.digest)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int {
            try row.decode([Float].self, at: 0).count
        }
    }

    /// One row's texts, and nothing else.
    private struct SelectTexts: PostgresStatement {
        let sql = """
            select document_ids, chunks, scores, texts from vector_search_cache where user_id = $1 and key = $2
            """
        let address: CacheAddress

        func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
            try parameters.append(address.user)
            try parameters.append(bytes: address.digest)
        }

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> Int {
            _ = try row.decode([UUID].self, at: 0)
            _ = try row.decode([Int32].self, at: 1)
            _ = try row.decode([Float].self, at: 2)
            return try row.decode([String].self, at: 3).count
        }
    }

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        try await run.server.withDatabase(.recorder) { database in
            // Without room in memory every lookup goes to the table.
            let nothing = Dictionary(uniqueKeysWithValues: CacheKind.allCases.map { ($0, 0) })
            let caches = try Caches(database, options: CacheOptions(byteLimits: nothing), logger: run.logger)
            return try await PostgresConnection.with(database) { connection in
                let missing: @Sendable () async throws -> Never = {
                    throw BenchmarkError(.process, "a value that was stored is not in its cache's table")
                }

                let vector = (0..<1_536).map { Float($0) / 1_536 }
                let texts = (0..<Self.rows).map { "what was said at \($0)" }
                for text in texts { _ = try await caches.embedding(of: text, model: "model") { vector } }
                let vectors = try await run.rounds("cache.l2.embedding") {
                    try await Self.milliseconds { number in
                        _ = try await caches.embedding(of: texts[number], model: "model") { try await missing() }
                    }
                } against: {
                    try await Self.milliseconds { number in
                        let address = CacheAddress(.embedding, user: nil, parts: ["model", texts[number]])
                        _ = try await connection.first(SelectVector(address: address))
                    }
                }

                let match = VectorMatch(
                    document: UUID(),
                    chunk: 1,
                    score: 0.9,
                    text: String(repeating: "words ", count: 100)
                )
                let searches = texts.map { VectorSearch(user: UUID(), query: $0, model: "model", limit: 5) }
                let found = Array(repeating: match, count: 5)
                for search in searches { _ = try await caches.matches(of: search) { found } }
                let matches = try await run.rounds("cache.l2.search") {
                    try await Self.milliseconds { number in
                        _ = try await caches.matches(of: searches[number]) { try await missing() }
                    }
                } against: {
                    try await Self.milliseconds { number in
                        let address = VectorSearchContent.address(of: searches[number])
                        _ = try await connection.first(SelectTexts(address: address))
                    }
                }
                await caches.close()
                return [("cache.l2.embedding.p50", vectors), ("cache.l2.search.p50", matches)].map { name, rounds in
                    Measurement(
                        name,
                        unit: "ms",
                        higherIsBetter: false,
                        rounds: rounds.map { ($0.value, $0.limit) },
                        settings: ["rows": "\(Self.rows)", "limit": "a bare SELECT by key on one connection"]
                    )
                }
            }
        }
    }

    /// The median time of a lookup.
    private static func milliseconds(_ look: (Int) async throws -> Void) async throws -> Double {
        var waits: [Double] = []
        for number in 0..<lookups {
            let start = ContinuousClock.now
            try await look((number &* 7_919) % rows)
            waits.append(start.duration(to: .now) / .milliseconds(1))
        }
        return Percentile.median(waits.sorted())
    }
}
