import EventModel
import PayloadCodec
import Testing

@testable import EventStore

@Suite struct AppendDecisionTests {
    private let stream = StreamID.fresh()
    private let other = StreamID.fresh()

    /// Heads with one stream that holds the events 1 … count.
    private func heads(_ counts: [StreamID: Int]) -> StreamHeads {
        var heads = StreamHeads()
        for (stream, count) in counts {
            heads.extend(stream, by: (0..<count).map { (EventID.numbered($0 + 1), Int64($0 + 1) * 10) })
        }
        return heads
    }

    private func encoded(_ ids: [Int], to stream: StreamID, _ expected: ExpectedVersion) throws -> EncodedAppend {
        try EncodedAppend(
            .of(ids.map { .numbered($0) }, to: stream, expecting: expected),
            encoder: PayloadEncoder()
        )
    }

    private func pending(_ ids: [Int]) -> AppendRound.Pending {
        var pending = AppendRound.Pending(behind: 0)
        for id in ids { pending.append(.numbered(id), row: 0) }
        return pending
    }

    private func decide(
        _ appends: [EncodedAppend],
        _ heads: StreamHeads,
        pending: [StreamID: AppendRound.Pending] = [:],
        fresh: Set<StreamID>
    ) -> String {
        switch AppendDecision(appends, heads: heads, pending: pending, isFresh: fresh.contains) {
        case .store: "store"
        case .stored(let receipts): "stored \(receipts.map { "\($0.versions)" }.joined(separator: " "))"
        case .refuse(let error): "refuse \(error.message.contains("some of") ? "part" : "version") \(error.found ?? -1)"
        case .later: "later"
        case .read(let streams): "read \(streams.count)"
        }
    }

    @Test(
        arguments: [
            (0, ExpectedVersion.any, "store"), (0, .none, "store"), (0, .exists, "refuse version 0"),
            (0, .exactly(0), "store"), (0, .exactly(1), "refuse version 0"), (3, .any, "store"),
            (3, .none, "refuse version 3"), (3, .exists, "store"), (3, .exactly(3), "store"),
            (3, .exactly(2), "refuse version 3"), (3, .exactly(4), "refuse version 3"),
        ]
    )
    func `new events are stored only on what is expected`(held: Int, expected: ExpectedVersion, outcome: String) throws
    {
        let heads = heads([stream: held])
        let append = try encoded([100, 101], to: stream, expected)
        #expect(decide([append], heads, fresh: [stream]) == outcome)
        // What may be out of date refuses nothing.
        #expect(decide([append], heads, fresh: []) == (outcome == "store" ? "store" : "read 1"))
        #expect(decide([append], StreamHeads(), fresh: []) == "read 1")
    }

    @Test(
        arguments: [
            ([1], "stored 1...1"), ([3], "stored 3...3"), ([1, 2, 3], "stored 1...3"), ([2, 3], "stored 2...3"),
            ([1, 3], "refuse part 3"), ([2, 1], "refuse part 3"), ([3, 100], "refuse part 3"),
            ([100, 1], "refuse part 3"), ([100], "store"), ([0], "store"),
        ]
    )
    func `ids that are stored decide before the expected version does`(ids: [Int], outcome: String) throws {
        let heads = heads([stream: 3])
        for expected in [ExpectedVersion.any, .exists, .exactly(3)] {
            #expect(try decide([encoded(ids, to: stream, expected)], heads, fresh: [stream]) == outcome)
        }
        for expected in [ExpectedVersion.none, .exactly(0), .exactly(9)] {
            let wrong = outcome == "store" ? "refuse version 3" : outcome
            #expect(try decide([encoded(ids, to: stream, expected)], heads, fresh: [stream]) == wrong)
        }
        #expect(
            try decide([encoded(ids, to: stream, .any)], heads, fresh: [])
                == (outcome.hasPrefix("refuse") ? "read 1" : outcome)
        )
    }

    @Test func `what is being stored counts, but refuses nothing that it may yet allow`() throws {
        let heads = heads([stream: 3])
        let pending = [stream: pending([50, 51])]
        func decision(_ ids: [Int], _ expected: ExpectedVersion) throws -> String {
            try decide([encoded(ids, to: stream, expected)], heads, pending: pending, fresh: [stream])
        }
        #expect(try decision([100], .any) == "store")
        #expect(try decision([100], .exactly(5)) == "store")
        #expect(try decision([100], .exactly(3)) == "later")
        #expect(try decision([100], .none) == "later")
        #expect(try decision([50], .any) == "later")
        #expect(try decision([50, 51], .exactly(0)) == "later")
        #expect(try decision([100, 51], .any) == "later")
        #expect(try decision([2], .any) == "stored 2...2")
        #expect(try decision([2, 1], .any) == "refuse part 3")
    }

    @Test func `an append to several streams is decided whole`() throws {
        let heads = heads([stream: 3, other: 1])
        let both: Set = [stream, other]
        let new = try encoded([100], to: stream, .any)
        let stored = try encoded([2, 3], to: stream, .any)
        #expect(try decide([new, encoded([1], to: other, .exactly(9))], heads, fresh: both) == "refuse part 1")
        #expect(try decide([stored, encoded([1], to: other, .exactly(9))], heads, fresh: []) == "stored 2...3 1...1")
        #expect(try decide([new, encoded([100], to: other, .exactly(1))], heads, fresh: []) == "store")
        #expect(try decide([new, encoded([100], to: other, .none)], heads, fresh: both) == "refuse version 1")
        #expect(try decide([new, encoded([100], to: other, .none)], heads, fresh: [stream]) == "read 1")
        #expect(try decide([stored, encoded([100], to: other, .any)], heads, fresh: both) == "refuse part 3")
        #expect(try decide([stored, encoded([100], to: other, .any)], heads, fresh: [stream]) == "read 1")
        let unknown = try encoded([1], to: .fresh(), .any)
        #expect(decide([new, unknown], heads, fresh: both) == "read 1")
        #expect(
            try decide(
                [stored, encoded([100], to: other, .any)],
                heads,
                pending: [other: pending([100])],
                fresh: both
            ) == "later"
        )
    }
}
