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
            try Append.of(ids.map { .numbered($0) }, to: stream, expecting: expected)
        }
        return try AppendParcel.of(appends, isOneAppend: true).requests[0]
    }

    private func round(
        _ requests: [AppendRequest],
        _ heads: inout StreamHeads,
        fresh: Set<StreamID> = []
    ) -> AppendRound {
        var types = EventTypes()
        types.add([(1, EventType.turnStarted.name)])
        return AppendRound(requests, heads: &heads, types: types, fresh: fresh)
    }

    private func heads(known streams: [StreamID]) -> StreamHeads {
        var heads = StreamHeads(LaneHeads())
        for stream in streams { heads.open(stream) }
        return heads
    }

    @Test func `events are stored by stream and version, and each append gets its own positions`() throws {
        var heads = heads(known: [low, high])
        let requests = try [
            request([(high, [1], .any), (low, [2], .any)]), request([(low, [3, 4], .any)]),
            request([(high, [5], .any)]),
        ]
        let round = round(requests, &heads)
        #expect(round.count == 5)
        // Positions are drawn in the order in which rows are stored: the lower stream's first.
        let receipts = try round.finish([10, 11, 12, 20, 21], heads: &heads).map {
            try $0.results.map { try $0.result.get() }
        }
        #expect(receipts.map { $0.map(\.positions) } == [[[20], [10]], [[11, 12]], [[21]]])
        #expect(receipts.map { $0.map(\.firstVersion) } == [[1, 1], [2], [2]])
        #expect(heads.head(of: low)?.positions == [10, 11, 12])
        #expect(heads.head(of: high)?.ids == [.numbered(1), .numbered(5)])
    }

    @Test func `what was not stored is as if it had never been planned`() throws {
        var heads = heads(known: [low, high])
        let slot = heads.open(low)
        for number in 0..<70 { heads[slot].append(.numbered(number), position: Int64(number)) }
        let requests = try [
            request([(low, [100, 101], .any), (high, [1], .any)]), request([(low, [102], .exactly(72))]),
        ]
        let lost = round(requests, &heads)
        #expect(lost.count == 4)
        #expect(heads.head(of: low)?.pendingCount == 3)
        lost.abandon(heads: &heads)
        #expect(heads.head(of: low)?.version == 70)
        #expect(heads.head(of: low)?.pendingCount == 0)
        #expect(heads.head(of: low)?.version(of: .numbered(100)) == nil)
        #expect(heads.head(of: low)?.version(of: .numbered(69)) == 70)
        let again = round(requests, &heads)
        #expect(again.count == 4)
        _ = again.finish([1, 2, 3, 4], heads: &heads)
        #expect(heads.head(of: low)?.version(of: .numbered(102)) == 73)
        #expect(heads.head(of: high)?.positions == [4])
    }

    @Test func `a round is decided on top of one that is being stored, and both are stored or neither`() throws {
        for isStored in [true, false] {
            var heads = heads(known: [low, high])
            let first = try round([request([(low, [1, 2], .any)])], &heads)
            let next = try round([request([(low, [3], .exactly(2))]), request([(high, [4], .any)])], &heads)
            #expect(next.count == 2)
            if isStored {
                _ = first.finish([10, 11], heads: &heads)
                #expect(heads.head(of: low)?.version == 2)
                #expect(heads.head(of: low)?.pendingCount == 1)
                _ = next.finish([12, 13], heads: &heads)
                #expect(heads.head(of: low)?.positions == [10, 11, 12])
            } else {
                next.abandon(heads: &heads)
                first.abandon(heads: &heads)
                #expect(heads.head(of: low)?.ids == [])
                #expect(heads.head(of: high)?.ids == [])
            }
        }
    }

    @Test func `appends of one parcel that have nothing to do with each other end each for itself`() throws {
        var heads = heads(known: [low, high])
        let parcel = try AppendParcel.of(
            [
                .of([.numbered(1)], to: low), .of([.numbered(2)], to: high, expecting: .exists),
                .of([.numbered(3)], to: low),
            ]
        )
        let round = round(parcel.requests, &heads, fresh: [low, high])
        #expect(round.count == 2)
        #expect(round.settled.flatMap(\.results).map(\.place) == [1])
        let stored = round.finish([7, 8], heads: &heads)
        #expect(stored.count == 1)
        #expect(stored[0].results.map(\.place) == [0, 2])
        #expect(try stored[0].results.map { try $0.result.get().positions } == [[7], [8]])
    }

    @Test func `an append that has to wait is not overtaken on its streams`() throws {
        let requests = try [
            request([(low, [1], .any)]), request([(low, [1], .any), (high, [2], .any)]), request([(high, [3], .any)]),
            request([(low, [4], .any)]),
        ]
        var heads = heads(known: [low, high])
        let round = round(requests, &heads)
        #expect(round.count == 1)
        #expect(round.later.count == 3)
        #expect(round.open.count == 4)
        #expect(round.settled.isEmpty)
    }

    @Test func `a refusal needs a head that was read, and is told once`() throws {
        let wrong = try request([(low, [1], .exists)])
        var heads = heads(known: [low])
        let stale = round([wrong], &heads)
        #expect(stale.stale == [low])
        #expect(stale.later.count == 1)
        let fresh = round([wrong], &heads, fresh: [low])
        #expect(fresh.settled.count == 1)
        #expect(fresh.open.isEmpty)
    }
}

extension StreamHeads {
    /// The head of a stream, if it is known.
    func head(of stream: StreamID) -> StreamHead? {
        var heads = self
        return heads.slot(of: stream).map { heads[$0] }
    }
}
