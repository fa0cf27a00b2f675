import EventModel
import PayloadCodec
import Testing

@testable import EventStore

@Suite struct AppendQueueTests {
    private func parcel(_ size: Int, events: Int = 1) throws -> AppendParcel {
        let ids = (0..<events).map { _ in EventID.fresh() }
        return try .of([.of(ids, to: .fresh())], size: size)
    }

    private func put(_ parcel: AppendParcel, in lane: Int, of queue: AppendQueue) async throws {
        try await queue.reserve(parcel.size)
        try queue.put(parcel, in: lane)
    }

    /// Waits until so many producers are blocked.
    private func blocked(_ count: Int, in queue: AppendQueue) async {
        while queue.blockedProducers != count { await Task.yield() }
    }

    @Test func `parcels come out in the order in which they went in, in groups of bounded size`() async throws {
        let queue = AppendQueue(capacity: 1 << 20)
        var streams: [StreamID] = []
        for _ in 0..<10 {
            try await queue.reserve(10)
            let parcel = try parcel(10, events: 3)
            streams.append(parcel.parts[0].stream)
            try queue.put(parcel)
        }
        var taken: [StreamID] = []
        for expected in [3, 3, 3, 1] {
            let group = await queue.take(upTo: 10)
            #expect(group.count == expected)
            taken += group.map(\.parts[0].stream)
        }
        #expect(taken == streams)
    }

    @Test func `a group has at least one parcel, however large`() async throws {
        let queue = AppendQueue(capacity: 100)
        try await queue.reserve(5_000)
        try queue.put(parcel(5_000, events: 50))
        #expect(await queue.take(upTo: 10).count == 1)
    }

    @Test func `producers wait when the queue is full and get room in their order`() async throws {
        let queue = AppendQueue(capacity: 100)
        try await queue.reserve(60)
        try queue.put(parcel(60))
        let admitted = Shared<[Int]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            // The first is larger than what is left; those behind it do not overtake it.
            for (number, size) in [50, 10, 45].enumerated() {
                group.addTask {
                    try await queue.reserve(size)
                    admitted.withLock { $0.append(number) }
                    try queue.put(parcel(size))
                }
                await blocked(number + 1, in: queue)
            }
            #expect(admitted.withLock { $0 } == [])
            #expect(await queue.take(upTo: 1000).count == 1)
            // 50 + 10 fit, 45 does not.
            await blocked(1, in: queue)
            while queue.queuedParcels < 2 { await Task.yield() }
            #expect(Set(admitted.withLock { $0 }) == [0, 1])
            #expect(await queue.take(upTo: 1000).count == 2)
            try await group.waitForAll()
        }
        #expect(admitted.withLock { $0.last } == 2)
    }

    @Test func `a producer that is cancelled while it waits leaves the line to others`() async throws {
        let queue = AppendQueue(capacity: 100)
        try await queue.reserve(60)
        let large = Task { try await queue.reserve(90) }
        await blocked(1, in: queue)
        let small = Task { try await queue.reserve(30) }
        await blocked(2, in: queue)
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        try await small.value
        #expect(queue.blockedProducers == 0)
        // 60 + 30 are reserved.
        let third = Task { try await queue.reserve(20) }
        await blocked(1, in: queue)
        queue.release(30)
        try await third.value
    }

    @Test func `a parcel can be taken back until the writer has it`() async throws {
        let queue = AppendQueue(capacity: 100)
        try await queue.reserve(100)
        let first = try queue.put(parcel(100))
        let waiting = Task { try await queue.reserve(100) }
        await blocked(1, in: queue)
        #expect(queue.cancel(first) != nil)
        #expect(queue.cancel(first) == nil)
        try await waiting.value
        let second = try queue.put(parcel(100))
        #expect(await queue.take(upTo: 10).count == 1)
        #expect(queue.cancel(second) == nil)
    }

    @Test func `a closed queue refuses, frees who waits, and gives out what it has`() async throws {
        let queue = AppendQueue(capacity: 100)
        try await queue.reserve(100)
        try queue.put(parcel(100))
        let waiting = Task { try await queue.reserve(1) }
        await blocked(1, in: queue)
        queue.close()
        let refused = await failure { try await waiting.value }
        #expect(refused?.code == .closed)
        let late = await failure { try await queue.reserve(1) }
        #expect(late?.code == .closed)
        #expect(throws: EventStoreError.self) { try queue.put(parcel(1)) }
        #expect(await queue.take(upTo: 10).count == 1)
        #expect(await queue.take(upTo: 10).isEmpty)
    }

    @Test func `a writer that waits is woken by a parcel, by closing and by cancellation`() async throws {
        let queue = AppendQueue(capacity: 100)
        let first = Task { await queue.take(upTo: 10).count }
        try await queue.reserve(1)
        try queue.put(parcel(1))
        #expect(await first.value == 1)
        let second = Task { await queue.take(upTo: 10).count }
        second.cancel()
        #expect(await second.value == 0)
        let third = Task { await queue.take(upTo: 10).count }
        queue.close()
        #expect(await third.value == 0)
    }

    @Test func `many producers and one writer lose nothing and stay within bounds`() async throws {
        let queue = AppendQueue(capacity: 500)
        let reserved = Shared(0)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    for _ in 0..<100 {
                        try await queue.reserve(40)
                        let now = reserved.withLock {
                            $0 += 40; return $0
                        }
                        #expect(now <= 500 + 64 * 40)
                        try queue.put(parcel(40))
                    }
                    return 0
                }
            }
            group.addTask {
                var taken = 0
                while taken < 6_400 {
                    let count = await queue.take(upTo: 7).count
                    #expect(count <= 7)
                    reserved.withLock { $0 -= 40 * count }
                    taken += count
                }
                return taken
            }
            var taken = 0
            for try await count in group { taken += count }
            #expect(taken == 6_400)
        }
        #expect(queue.queuedParcels == 0)
    }

    @Test func `what was taken is let go, also by a queue that is never empty`() async throws {
        struct Weak { weak var parcel: AppendParcel? }
        let queue = AppendQueue(capacity: 1 << 20)
        var seen: [Weak] = []
        for number in 0..<1_000 {
            try await queue.reserve(1)
            let parcel = try parcel(1)
            seen.append(Weak(parcel: parcel))
            try queue.put(parcel)
            if number >= 10 { _ = await queue.take(upTo: 1) }
        }
        #expect(queue.queuedParcels == 10)
        #expect(seen.count { $0.parcel != nil } <= 20)
    }

    // MARK: Lanes

    @Test func `a writer takes other lanes along while they hold little, and its own first`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var heads = StreamHeads(lanes: 2, home: 1)
        let parcels = try [parcel(1, events: 3), parcel(1, events: 5), parcel(1, events: 7)]
        try await put(parcels[0], in: 0, of: queue)
        try await put(parcels[1], in: 1, of: queue)
        try await put(parcels[2], in: 0, of: queue)
        let taken = await queue.take(upTo: 1_000, for: 1, heads: &heads)
        #expect(taken.map(ObjectIdentifier.init) == [1, 0, 2].map { ObjectIdentifier(parcels[$0]) })
    }

    @Test func `a lane that holds much is left to its own writer, and so is one of which much was taken last`()
        async throws
    {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var (first, second) = (StreamHeads(lanes: 2, home: 0), StreamHeads(lanes: 2, home: 1))
        try await put(parcel(1), in: 0, of: queue)
        try await put(parcel(1, events: 500), in: 1, of: queue)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).map(\.events.count) == [1])
        #expect(await queue.take(upTo: 1_000, for: 1, heads: &second).map(\.events.count) == [500])
        try await put(parcel(1), in: 0, of: queue)
        try await put(parcel(1), in: 1, of: queue)
        #expect(await queue.take(upTo: 1_000, for: 1, heads: &second).count == 1)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).count == 1)
    }

    @Test func `a writer waits for its lane while another has it, and is woken when that gives it back`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var first = StreamHeads(lanes: 2, home: 0)
        try await put(parcel(1), in: 0, of: queue)
        // Nothing is in lane 1, but it goes along.
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).count == 1)
        let waiting = Task {
            var second = StreamHeads(lanes: 2, home: 1)
            return await queue.take(upTo: 1_000, for: 1, heads: &second).map(\.events.count)
        }
        try await put(parcel(1, events: 200), in: 1, of: queue)
        try await put(parcel(1, events: 2), in: 0, of: queue)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).map(\.events.count) == [2])
        #expect(await waiting.value == [200])
    }

    @Test func `what is known of a lane's streams goes with the lane`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var (first, second) = (StreamHeads(lanes: 2, home: 0), StreamHeads(lanes: 2, home: 1))
        let streams = [0, 1].map { lane in StreamID.of(lane, among: 2) }
        try await put(parcel(1), in: 0, of: queue)
        _ = await queue.take(upTo: 1_000, for: 0, heads: &first)
        for (position, stream) in streams.enumerated() {
            let slot = first.open(stream)
            first[slot].append(.numbered(7), position: Int64(position))
        }
        try await put(parcel(1), in: 1, of: queue)
        try await put(parcel(1, events: 500), in: 0, of: queue)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).map(\.events.count) == [500])
        #expect(first.head(of: streams[0])?.positions == [0])
        #expect(first.head(of: streams[1]) == nil)
        _ = await queue.take(upTo: 1_000, for: 1, heads: &second)
        #expect(second.head(of: streams[1])?.positions == [1])
        #expect(second.head(of: streams[0]) == nil)
    }

    @Test func `a closed queue lets a writer go only when nobody can give it its lane back`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var first = StreamHeads(lanes: 2, home: 0)
        try await put(parcel(1), in: 0, of: queue)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).count == 1)
        try await put(parcel(1, events: 200), in: 1, of: queue)
        queue.close()
        let second = Task {
            var second = StreamHeads(lanes: 2, home: 1)
            var taken: [Int] = []
            while case let group = await queue.take(upTo: 1_000, for: 1, heads: &second), !group.isEmpty {
                taken += group.map(\.events.count)
            }
            return taken
        }
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).isEmpty)
        #expect(await second.value == [200])
    }

    @Test func `many producers and three writers lose nothing, and each lane comes out in its order`() async throws {
        let lanes = 3
        let queue = AppendQueue(capacity: 4_000, lanes: lanes)
        let streams = (0..<lanes).map { lane in StreamID.of(lane, among: lanes) }
        let sent = Shared<[[ObjectIdentifier]]>(Array(repeating: [], count: lanes))
        let stored = Shared<[[ObjectIdentifier]]>(Array(repeating: [], count: lanes))
        // Nobody else's identity while the test runs.
        let kept = Shared<[AppendParcel]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for home in 0..<lanes {
                group.addTask {
                    var heads = StreamHeads(lanes: lanes, home: home)
                    while case let parcels = await queue.take(upTo: 50, for: home, heads: &heads), !parcels.isEmpty {
                        await Task.yield()
                        for parcel in parcels {
                            let lane = AppendLane.number(of: parcel.parts[0].stream, among: lanes)
                            stored.withLock { $0[lane].append(ObjectIdentifier(parcel)) }
                        }
                    }
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { producers in
                for lane in 0..<lanes {
                    producers.addTask {
                        for number in 0..<2_000 {
                            // Now and then so much that no other writer takes the lane along.
                            let ids = (0..<(number % 400 < 40 ? 40 : 1)).map { _ in EventID.fresh() }
                            let parcel = try AppendParcel.of([.of(ids, to: streams[lane])], size: 10)
                            try await queue.reserve(10)
                            sent.withLock { $0[lane].append(ObjectIdentifier(parcel)) }
                            kept.withLock { $0.append(parcel) }
                            try queue.put(parcel, in: lane)
                        }
                    }
                }
                try await producers.waitForAll()
            }
            queue.close()
            try await group.waitForAll()
        }
        #expect(stored.withLock { $0 } == sent.withLock { $0 })
    }
}

extension StreamID {
    /// A stream of a lane.
    fileprivate static func of(_ lane: Int, among lanes: Int) -> StreamID {
        while true {
            let stream = StreamID.fresh()
            if AppendLane.number(of: stream, among: lanes) == lane { return stream }
        }
    }
}

extension AppendQueue {
    /// Takes from the only lane, for a writer that gives it back at once.
    fileprivate func take(upTo limit: Int) async -> [AppendParcel] {
        var heads = StreamHeads(lanes: 1, home: 0)
        defer { giveBack(&heads) }
        return await take(upTo: limit, for: 0, heads: &heads)
    }
}
