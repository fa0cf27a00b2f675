import Testing

@testable import Cache

@Suite struct LRUEntriesTests {
    private static let start = ContinuousClock.now

    private static func entry(
        _ key: Int,
        cost: Int = 1,
        lifetime: Duration = .seconds(10),
        refresh: Duration? = nil
    ) -> LRUEntries<Int, String>.Entry {
        .init(
            key: key,
            value: "value \(key)",
            cost: cost,
            expiresAt: start + lifetime,
            refreshAt: refresh.map { start + $0 }
        )
    }

    private static func value(_ finding: LRUEntries<Int, String>.Finding) -> String? {
        if case .value(let value, _) = finding { value } else { nil }
    }

    @Test func `the least recently used make room, as many as it takes`() {
        var entries = LRUEntries<Int, String>(byteLimit: 10)
        for key in 1...5 { entries.insert(Self.entry(key, cost: 2)) }
        _ = entries.use(1, now: Self.start)
        entries.insert(Self.entry(6, cost: 3))
        #expect([1, 4, 5, 6].allSatisfy { Self.value(entries.use($0, now: Self.start)) != nil })
        #expect([2, 3].allSatisfy { Self.value(entries.use($0, now: Self.start)) == nil })
        #expect(entries.bytes == 9)
        #expect(entries.evicted == 2)
    }

    @Test func `what is larger than all the room is not kept, nor is what it replaces`() {
        var entries = LRUEntries<Int, String>(byteLimit: 10)
        entries.insert(Self.entry(1))
        entries.insert(Self.entry(2))
        let isKept = entries.insert(Self.entry(1, cost: 11))
        #expect(!isKept)
        #expect([1, 2].map { Self.value(entries.use($0, now: Self.start)) } == [nil, "value 2"])
        #expect(entries.bytes == 1)
    }

    @Test func `an entry is served until its time is over, and asks once to be made anew`() {
        var entries = LRUEntries<Int, String>(byteLimit: 10)
        entries.insert(Self.entry(1, lifetime: .seconds(10), refresh: .seconds(8)))
        func wantsRefresh(_ after: Duration) -> Bool? {
            if case .value(_, let wants) = entries.use(1, now: Self.start + after) { wants } else { nil }
        }
        #expect(wantsRefresh(.seconds(7)) == false)
        #expect(wantsRefresh(.seconds(8)) == true)
        #expect(wantsRefresh(.seconds(9)) == false)
        #expect(wantsRefresh(.seconds(10)) == nil)
        #expect(entries.count == 0)
        #expect(entries.bytes == 0)
    }

    @Test func `a sweep removes only what has expired`() {
        var entries = LRUEntries<Int, String>(byteLimit: 100)
        for key in 1...6 { entries.insert(Self.entry(key, lifetime: .seconds(key.isMultiple(of: 2) ? 1 : 9))) }
        let removed = [4, 100].map { entries.removeExpired(now: Self.start + .seconds(5), among: $0) }
        #expect(removed == [2, 1])
        #expect(entries.count == 3)
    }

    @Test func `uses are counted since they were asked for last`() {
        var entries = LRUEntries<Int, String>(byteLimit: 100)
        for key in 1...3 { entries.insert(Self.entry(key)) }
        for key in [1, 2, 2] { _ = entries.use(key, now: Self.start) }
        let (uses, later) = (entries.takeUses(), entries.takeUses())
        #expect(Dictionary(uniqueKeysWithValues: uses.map { ($0.key, $0.uses) }) == [1: 1, 2: 2])
        #expect(later.isEmpty)
    }

    /// The same operations on a list that is slow and plain.
    @Test(arguments: 1...20)
    func `random operations give what a plain list gives`(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var entries = LRUEntries<Int, String>(byteLimit: 40)
        var plain: [(key: Int, cost: Int)] = []
        for _ in 0..<2_000 {
            let key = Int.random(in: 0..<30, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let cost = Int.random(in: 1...9, using: &random)
                entries.insert(Self.entry(key, cost: cost))
                plain.removeAll { $0.key == key }
                while plain.reduce(0, { $0 + $1.cost }) > 40 - cost { plain.removeFirst() }
                plain.append((key, cost))
            case 4:
                let isRemoved = entries.remove(key)
                #expect(isRemoved == plain.contains { $0.key == key })
                plain.removeAll { $0.key == key }
            default:
                let found = plain.firstIndex { $0.key == key }
                let value = Self.value(entries.use(key, now: Self.start))
                #expect((value != nil) == (found != nil))
                if let found { plain.append(plain.remove(at: found)) }
            }
            #expect(entries.bytes == plain.reduce(0) { $0 + $1.cost })
            #expect(entries.count == plain.count)
        }
    }
}

/// Random numbers from a seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
