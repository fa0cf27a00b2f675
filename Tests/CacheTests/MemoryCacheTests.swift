import Synchronization
import RecorderTesting
import Testing

@testable import Cache

@Suite(.timeLimit(.minutes(5))) struct MemoryCacheTests {
    private struct Broken: Error {}

    /// A clock that stands until it is moved.
    private final class Clock: Sendable {
        private let instant = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { instant.withLock { $0 } }
        func advance(by time: Duration) { instant.withLock { $0 += time } }
    }

    private typealias Cache = MemoryCache<String, Int>

    private static func fresh(_ value: Int, lifetime: Duration = .seconds(60)) -> Cache.Fresh {
        Cache.Fresh(value, cost: 8, lifetime: lifetime)
    }

    /// Waits until so many lookups wait for another's value.
    private static func waitForJoined(_ count: Int, in cache: Cache) async throws {
        try await eventually("\(count) lookups wait") { cache.statistics.joined >= count }
    }

    @Test func `costs, lifetimes and numbers beyond every bound are bounded`() {
        for byteLimit in [1 << 20, .max] {
            let cache = Cache(byteLimit: byteLimit)
            cache.insert(Self.fresh(1), for: "usual")
            cache.insert(Cache.Fresh(2, cost: .max, lifetime: .seconds(60)), for: "large")
            #expect(cache.value(for: "large") == nil && cache.value(for: "usual") == 1)
            let ever = Duration(attoseconds: .max)
            cache.insert(Cache.Fresh(3, cost: .min, lifetime: ever, refreshAfter: ever), for: "ever")
            cache.insert(Self.fresh(4, lifetime: Duration(attoseconds: .min)), for: "never")
            #expect(cache.value(for: "ever") == 3)
            for limit in [-1, 0, .min] { cache.sweep(among: limit) }
            #expect(cache.statistics.entries == 3)
            cache.sweep(among: .max)
            #expect(cache.statistics.entries == 2)
        }
    }

    @Test func `a value is computed once, however many ask at once`() async throws {
        let cache = Cache(byteLimit: 1 << 20)
        let (gate, computed) = (Gate(), Shared(0))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    try await cache.value(for: "key") {
                        computed.add()
                        try await gate.pass()
                        return Self.fresh(42)
                    }
                }
            }
            await gate.waitForArrival()
            try await Self.waitForJoined(99, in: cache)
            gate.open()
            for try await value in group { #expect(value == 42) }
        }
        #expect(computed.value == 1)
        #expect(cache.statistics.misses == 1)
        #expect(cache.value(for: "key") == 42)
    }

    @Test func `all who wait get the error, and the next computes again`() async throws {
        let cache = Cache(byteLimit: 1 << 20)
        let (gate, computed) = (Gate(), Shared(0))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    do {
                        _ = try await cache.value(for: "key") {
                            computed.add()
                            try await gate.pass()
                            throw Broken()
                        }
                        return false
                    } catch { return error is Broken }
                }
            }
            try await Self.waitForJoined(9, in: cache)
            gate.open()
            for try await failed in group { #expect(failed) }
        }
        #expect(computed.value == 1)
        #expect(try await cache.value(for: "key") { Self.fresh(7) } == 7)
    }

    @Test func `when who computes is cancelled, another does it for all who wait`() async throws {
        let cache = Cache(byteLimit: 1 << 20)
        let (gate, computed) = (Gate(), Shared(0))
        let compute: @Sendable () async throws -> Cache.Fresh = {
            if computed.add() == 1 { try await gate.pass() }
            return Self.fresh(42)
        }
        let first = Task { try await cache.value(for: "key", compute: compute) }
        await gate.waitForArrival()
        let others = (0..<10).map { _ in Task { try await cache.value(for: "key", compute: compute) } }
        try await Self.waitForJoined(10, in: cache)
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        for other in others { #expect(try await other.value == 42) }
        #expect(computed.value == 2)
    }

    @Test func `who waits can be cancelled alone`() async throws {
        let cache = Cache(byteLimit: 1 << 20)
        let gate = Gate()
        let first = Task {
            try await cache.value(for: "key") {
                try await gate.pass()
                return Self.fresh(1)
            }
        }
        await gate.waitForArrival()
        let second = Task { try await cache.value(for: "key") { Self.fresh(2) } }
        try await Self.waitForJoined(1, in: cache)
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        gate.open()
        #expect(try await first.value == 1)
    }

    @Test func `what is dropped while it is computed reaches who waited, and is not kept`() async throws {
        let cache = Cache(byteLimit: 1 << 20)
        let gate = Gate()
        let stale = Task {
            try await cache.value(for: "key") {
                try await gate.pass()
                return Self.fresh(1)
            }
        }
        await gate.waitForArrival()
        cache.drop { $0 == "key" }
        #expect(try await cache.value(for: "key") { Self.fresh(2) } == 2)
        gate.open()
        #expect(try await stale.value == 1)
        #expect(cache.value(for: "key") == 2)
    }

    @Test func `what was read before something was dropped is not stored`() async throws {
        let cache = Cache(byteLimit: 1 << 20)
        #expect(try await cache.fill { [("a", Self.fresh(1))] } == 1)
        let stored = try await cache.fill {
            cache.drop { $0 == "a" }
            return [("a", Self.fresh(1))]
        }
        #expect(stored == 0)
        #expect(cache.value(for: "a") == nil)
    }

    @Test func `values expire, and are computed ahead while they are still served`() async throws {
        let clock = Clock()
        let cache = Cache(byteLimit: 1 << 20) { clock.now }
        cache.insert(Cache.Fresh(1, cost: 8, lifetime: .seconds(10), refreshAfter: .seconds(8)), for: "key")
        let asked = Shared(0)
        func look() async throws -> Int {
            try await cache.value(for: "key", refresh: { asked.add() }) { Self.fresh(3, lifetime: .seconds(10)) }
        }
        clock.advance(by: .seconds(9))
        #expect(try await look() == 1)
        #expect(try await look() == 1)
        #expect(asked.value == 1)
        #expect(try await cache.refresh("key") { Self.fresh(2, lifetime: .seconds(10)) })
        clock.advance(by: .seconds(5))
        #expect(try await look() == 2)
        clock.advance(by: .seconds(6))
        #expect(try await look() == 3)
        #expect(cache.statistics.expired == 1)
    }

    @Test func `a failed refresh leaves the old value`() async throws {
        let cache = Cache(byteLimit: 1 << 20)
        cache.insert(Self.fresh(1), for: "key")
        await #expect(throws: Broken.self) { try await cache.refresh("key") { throw Broken() } }
        #expect(cache.value(for: "key") == 1)
    }

    @Test func `the bytes stay within their bound under many tasks`() async throws {
        let cache = Cache(byteLimit: 50_000)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<2_000 {
                        let key = (task * 7 + number) % 1_500
                        let value = try await cache.value(for: "\(key)") { Self.fresh(key) }
                        #expect(value == key)
                        if number.isMultiple(of: 100) { #expect(cache.statistics.bytes <= 50_000) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let statistics = cache.statistics
        #expect(statistics.evicted > 0)
        #expect(statistics.hits + statistics.misses + statistics.joined == 16_000)
        #expect(statistics.bytes <= 50_000)
    }
}
