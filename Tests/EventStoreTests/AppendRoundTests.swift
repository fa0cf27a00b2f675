import EventModel
import Foundation
import PayloadCodec
import Testing

@testable import EventStore

@Suite struct AppendRoundTests {
    private let low = StreamID(UUID(high: 0x0190_0000_0000_7000, low: 1 << 63))
    private let high = StreamID(UUID(high: 0x0190_0000_0000_7001, low: 1 << 63))

    private func request(_ parts: [(StreamID, [Int], ExpectedVersion)]) throws -> AppendRequest {
        let appends = try parts.map { stream, ids, expected in
            try EncodedAppend(
                .of(ids.map { .numbered($0) }, to: stream, expecting: expected),
                encoder: PayloadEncoder()
            )
        }
        return AppendRequest(appends: appends, size: 1) { _ in }
    }

    private func round(_ requests: [AppendRequest], _ heads: StreamHeads, fresh: Set<StreamID> = []) -> AppendRound {
        var types = EventTypes()
        types.add([(1, EventType.turnStarted.name)])
        return AppendRound(requests, heads: heads, types: types, fresh: fresh)
    }

    private func heads(known streams: [StreamID]) -> StreamHeads {
        var heads = StreamHeads()
        for stream in streams { heads.extend(stream, by: EmptyCollection()) }
        return heads
    }

    @Test func `events are stored by stream and version, and each append gets its own positions`() throws {
        var heads = heads(known: [low, high])
        let requests = try [
            request([(high, [1], .any), (low, [2], .any)]), request([(low, [3, 4], .any)]),
            request([(high, [5], .any)]),
        ]
        let round = round(requests, heads)
        #expect(round.count == 5)
        // Positions are drawn in the order in which rows are stored: the lower stream's first.
        let receipts = try round.finish([10, 11, 12, 20, 21], heads: &heads).map { try $0.result.get() }
        #expect(receipts.map { $0.map(\.positions) } == [[[20], [10]], [[11, 12]], [[21]]])
        #expect(receipts.map { $0.map(\.firstVersion) } == [[1, 1], [2], [2]])
        #expect(heads[low]?.positions == [10, 11, 12])
        #expect(heads[high]?.ids == [.numbered(1), .numbered(5)])
    }

    @Test func `an append that has to wait is not overtaken on its streams`() throws {
        let requests = try [
            request([(low, [1], .any)]), request([(low, [1], .any), (high, [2], .any)]), request([(high, [3], .any)]),
            request([(low, [4], .any)]),
        ]
        let round = round(requests, heads(known: [low, high]))
        #expect(round.count == 1)
        #expect(round.later.count == 3)
        #expect(round.open.count == 4)
        #expect(round.settled.isEmpty)
    }

    @Test func `a refusal needs a head that was read, and is told once`() throws {
        let wrong = try request([(low, [1], .exists)])
        let stale = round([wrong], heads(known: [low]))
        #expect(stale.stale == [low])
        #expect(stale.later.count == 1)
        let fresh = round([wrong], heads(known: [low]), fresh: [low])
        #expect(fresh.settled.count == 1)
        #expect(fresh.open.isEmpty)
    }
}
