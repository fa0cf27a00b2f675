import EventModel
import PayloadCodec
import RecorderTesting
import Testing

@testable import EventStore

@Suite(.timeLimit(.minutes(5))) struct AppendQueueTests {
    private func parcel(_ size: Int, events: Int = 1) throws -> AppendParcel {
        let ids = (0..<events).map { _ in EventID.fresh() }
        return try .of([.of(ids, to: .fresh())], size: size)
    }

    /// Waits until so many producers are blocked.
    private func blocked(_ count: Int, in queue: AppendQueue) async throws {
        try await eventually("\(count) producers are blocked") { queue.blockedProducers == count }
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
                try await blocked(number + 1, in: queue)
            }
            #expect(admitted.withLock { $0 } == [])
            #expect(await queue.take(upTo: 1000).count == 1)
            // 50 + 10 fit, 45 does not.
            try await blocked(1, in: queue)
            try await eventually("two parcels are queued") { queue.queuedParcels >= 2 }
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
        try await blocked(1, in: queue)
        async let small: Int = queue.reserve(30)
        try await blocked(2, in: queue)
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        _ = try await small
        #expect(queue.blockedProducers == 0)
        // 60 + 30 are reserved.
        async let third: Int = queue.reserve(20)
        try await blocked(1, in: queue)
        queue.release(30)
        _ = try await third
    }

    @Test func `a parcel can be taken back until the writer has it`() async throws {
        let queue = AppendQueue(capacity: 100)
        try await queue.reserve(100)
        let first = try queue.put(parcel(100))
        async let waiting: Int = queue.reserve(100)
        try await blocked(1, in: queue)
        #expect(queue.cancel(first) != nil)
        #expect(queue.cancel(first) == nil)
        _ = try await waiting
        let second = try queue.put(parcel(100))
        #expect(await queue.take(upTo: 10).count == 1)
        #expect(queue.cancel(second) == nil)
    }

    @Test func `a closed queue refuses, frees who waits, and gives out what it has`() async throws {
        let queue = AppendQueue(capacity: 100)
        try await queue.reserve(100)
        try queue.put(parcel(100))
        let waiting = Task { try await queue.reserve(1) }
        try await blocked(1, in: queue)
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
        async let first = queue.take(upTo: 10).count
        try await queue.reserve(1)
        try queue.put(parcel(1))
        #expect(await first == 1)
        let second = Task { await queue.take(upTo: 10).count }
        second.cancel()
        #expect(await second.value == 0)
        async let third = queue.take(upTo: 10).count
        queue.close()
        #expect(await third == 0)
    }

    @Test func `many producers and one writer lose nothing and stay within bounds`() async throws {
        let queue = AppendQueue(capacity: 500)
        let reserved = Shared(0)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    for _ in 0..<100 {
                        try await queue.reserve(40)
                        #expect(reserved.add(40) <= 500 + 64 * 40)
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
                    // It was cancelled.
                    if count == 0 { break }
                    reserved.add(-40 * count)
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
}

extension AppendQueue {
    /// Takes from the only lane, for a writer that gives it back at once.
    fileprivate func take(upTo limit: Int) async -> [AppendParcel] {
        var heads = StreamHeads(lanes: 1, home: 0)
        defer { giveBack(&heads) }
        return await take(upTo: limit, for: 0, heads: &heads)
    }
}
