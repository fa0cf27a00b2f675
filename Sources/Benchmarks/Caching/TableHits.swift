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
                let texts = (0..<Self.rows).map { "what was said at \($0)" }
                let vector = (0..<1_536).map { Float($0) / 1_536 }
                for text in texts { _ = try await caches.embedding(of: text, model: "model") { vector } }
                let vectors = try await Self.measurement("cache.l2.embedding", in: run) { number in
                    _ = try await caches.embedding(of: texts[number], model: "model") { throw Self.missing }
                } against: { number in
                    let address = CacheAddress(.embedding, user: nil, parts: ["model", texts[number]])
                    _ = try await connection.first(SelectVector(address: address))
                }

                let text = String(repeating: "words ", count: 100)
                let match = VectorMatch(document: UUID(), chunk: 1, score: 0.9, text: text)
                let found = Array(repeating: match, count: 5)
                let searches = texts.map { VectorSearch(user: UUID(), query: $0, model: "model", limit: 5) }
                for search in searches { _ = try await caches.matches(of: search) { found } }
                let matches = try await Self.measurement("cache.l2.search", in: run) { number in
                    _ = try await caches.matches(of: searches[number]) { throw Self.missing }
                } against: { number in
                    let address = VectorSearchContent.address(of: searches[number])
                    _ = try await connection.first(SelectTexts(address: address))
                }
                await caches.close()
                return [vectors, matches]
            }
        }
    }

    private static let missing = BenchmarkError(.process, "a value that was stored is not in its cache's table")

    /// Measures lookups in a cache against bare ones, each given the number of a row.
    private static func measurement(
        _ name: String,
        in run: BenchmarkRun,
        _ look: (Int) async throws -> Void,
        against bare: (Int) async throws -> Void
    ) async throws -> Measurement {
        let rounds = try await run.rounds(name) {
            try await milliseconds(look)
        } against: {
            try await milliseconds(bare)
        }
        return Measurement(
            "\(name).p50",
            unit: "ms",
            higherIsBetter: false,
            rounds: rounds.map { ($0.value, $0.limit) },
            settings: ["rows": "\(rows)", "limit": "a bare SELECT by key on one connection"]
        )
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
