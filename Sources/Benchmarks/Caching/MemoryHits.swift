internal import Cache
internal import Synchronization

/// `cache.l1`: how long a hit in memory takes, against a dictionary behind the same kind of lock.
struct MemoryHits: Benchmark {
    private static let entries = 10_000
    private static let lookups = 2_000_000

    func measure(in run: BenchmarkRun) async throws -> [Measurement] {
        let addresses = (0..<Self.entries).map { CacheAddress(.embedding, user: nil, parts: ["model", "\($0)"]) }
        let vector = [Float](repeating: 0.5, count: 1_536)
        let cache = MemoryCache<CacheAddress, [Float]>(byteLimit: 1 << 30)
        for address in addresses {
            cache.insert(
                .init(vector, cost: EmbeddingContent.cost(of: vector), lifetime: .seconds(3_600)),
                for: address
            )
        }
        let plain = Mutex(Dictionary(uniqueKeysWithValues: addresses.map { ($0, vector) }))
        let rounds = try await run.rounds("cache.l1") {
            Self.nanoseconds(addresses) { cache.value(for: $0)?.count ?? 0 }
        } against: {
            Self.nanoseconds(addresses) { address in plain.withLock { $0[address]?.count ?? 0 } }
        }
        return [
            Measurement(
                "cache.l1",
                unit: "ns",
                higherIsBetter: false,
                rounds: rounds.map { ($0.value, $0.limit) },
                settings: ["entries": "\(Self.entries)", "limit": "a dictionary behind a lock"]
            )
        ]
    }

    /// The time of one lookup, with keys in an order that defeats prefetching.
    private static func nanoseconds(_ addresses: [CacheAddress], _ look: (CacheAddress) -> Int) -> Double {
        var (place, sum) = (0, 0)
        let start = ContinuousClock.now
        for _ in 0..<lookups {
            place = (place &+ 7_919) % addresses.count
            sum &+= look(addresses[place])
        }
        let time = start.duration(to: .now)
        precondition(sum == lookups * 1_536, "every lookup is a hit")
        return time / .nanoseconds(1) / Double(lookups)
    }
}
