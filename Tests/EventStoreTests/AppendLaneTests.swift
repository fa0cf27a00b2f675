import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// How lanes go from writer to writer.
@Suite struct AppendLaneTests {
    @Test func `a writer takes other lanes along while they hold little, and its own first`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var heads = StreamHeads(lanes: 2, home: 1)
        for (lane, events) in [(0, 3), (1, 5), (0, 7)] { try await queue.put(events, in: lane) }
        let taken = await queue.take(upTo: 1_000, for: 1, heads: &heads)
        #expect(taken.map(\.events.count) == [5, 3, 7])
    }

    @Test func `a lane that holds much is left to its own writer, and so is one of which much was taken last`()
        async throws
    {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var (first, second) = (StreamHeads(lanes: 2, home: 0), StreamHeads(lanes: 2, home: 1))
        try await queue.put(1, in: 0)
        try await queue.put(500, in: 1)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).map(\.events.count) == [1])
        #expect(await queue.take(upTo: 1_000, for: 1, heads: &second).map(\.events.count) == [500])
        try await queue.put(1, in: 0)
        try await queue.put(1, in: 1)
        #expect(await queue.take(upTo: 1_000, for: 1, heads: &second).count == 1)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).count == 1)
    }

    @Test func `a writer waits for its lane while another has it, and is woken when that gives it back`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var first = StreamHeads(lanes: 2, home: 0)
        try await queue.put(1, in: 0)
        // Nothing is in lane 1, but it goes along.
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).count == 1)
        let waiting = Task {
            var second = StreamHeads(lanes: 2, home: 1)
            return await queue.take(upTo: 1_000, for: 1, heads: &second).map(\.events.count)
        }
        try await queue.put(200, in: 1)
        try await queue.put(2, in: 0)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).map(\.events.count) == [2])
        #expect(await waiting.value == [200])
    }

    @Test func `a writer that has all lanes can take more of them, until there is enough for two`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        let bell = try WakeSignal()
        var heads = StreamHeads(lanes: 2, home: 0)
        try await queue.put(1, in: 0)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &heads).count == 1)
        #expect(heads.areAll)
        try await queue.put(3, in: 1)
        #expect(!queue.has(10, orRaises: bell))
        try await queue.put(6, in: 0)
        #expect(!bell.isRaised)
        try await queue.put(1, in: 0)
        #expect(bell.isRaised)
        #expect(queue.has(10, orRaises: bell))
        #expect(queue.takeMore(upTo: 1_000, heads: heads).map(\.events.count) == [6, 1, 3])
        bell.clear()
        #expect(!queue.has(1, orRaises: bell))
        queue.forgetBell()
        try await queue.put(200, in: 1)
        #expect(!bell.isRaised)
        #expect(queue.takeMore(upTo: 1_000, heads: heads).isEmpty)
        #expect(queue.queuedParcels == 1)
    }

    @Test func `a writer whose knowledge is out of date takes no more before it has given its lanes back`() async throws
    {
        let queue = AppendQueue(capacity: 1 << 20)
        var heads = StreamHeads(lanes: 1, home: 0)
        try await queue.put(1, in: 0)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &heads).count == 1)
        queue.forgetHeads()
        try await queue.put(1, in: 0)
        #expect(queue.takeMore(upTo: 1_000, heads: heads).isEmpty)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &heads).count == 1)
    }

    @Test func `what is known of a lane's streams goes with the lane`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var (first, second) = (StreamHeads(lanes: 2, home: 0), StreamHeads(lanes: 2, home: 1))
        let streams = [0, 1].map { lane in StreamID.of(lane, among: 2) }
        try await queue.put(1, in: 0)
        _ = await queue.take(upTo: 1_000, for: 0, heads: &first)
        for (position, stream) in streams.enumerated() {
            let slot = first.open(stream)
            first[slot].append(.numbered(7), position: Int64(position))
        }
        try await queue.put(1, in: 1)
        try await queue.put(500, in: 0)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).map(\.events.count) == [500])
        #expect(first.head(of: streams[0])?.positions == [0])
        #expect(first.head(of: streams[1]) == nil)
        _ = await queue.take(upTo: 1_000, for: 1, heads: &second)
        #expect(second.head(of: streams[1])?.positions == [1])
        #expect(second.head(of: streams[0]) == nil)
    }

    @Test func `what is known is forgotten with a lost connection, also what another writer has right now`()
        async throws
    {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var heads = [StreamHeads(lanes: 2, home: 0), StreamHeads(lanes: 2, home: 1)]
        let streams = [0, 1].map { lane in StreamID.of(lane, among: 2) }
        // Each writer has its own lane, as both hold much.
        for lane in [0, 1] { try await queue.put(200, in: lane) }
        for lane in [0, 1] {
            _ = await queue.take(upTo: 1_000, for: lane, heads: &heads[lane])
            let slot = heads[lane].open(streams[lane])
            heads[lane][slot].append(.numbered(7), position: 1)
        }
        // The first gives its lane back, and then the second's connection breaks.
        queue.giveBack(&heads[0])
        queue.forgetHeads()
        for lane in [0, 1] { try await queue.put(200, in: lane) }
        for lane in [0, 1] {
            _ = await queue.take(upTo: 1_000, for: lane, heads: &heads[lane])
            #expect(heads[lane].head(of: streams[lane]) == nil)
        }
    }

    @Test func `a closed queue lets a writer go only when nobody can give it its lane back`() async throws {
        let queue = AppendQueue(capacity: 1 << 20, lanes: 2)
        var first = StreamHeads(lanes: 2, home: 0)
        try await queue.put(1, in: 0)
        #expect(await queue.take(upTo: 1_000, for: 0, heads: &first).count == 1)
        try await queue.put(200, in: 1)
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
    /// Puts a parcel of so many events into a lane.
    fileprivate func put(_ events: Int, in lane: Int) async throws {
        try await reserve(1)
        try put(.of([.of((0..<events).map { _ in .fresh() }, to: .fresh())]), in: lane)
    }
}
