import EventModel
import PayloadCodec
import Testing

@testable import EventStore

@Suite struct AppendDecisionTests {
    private let stream = StreamID.fresh()
    private let other = StreamID.fresh()

    /// Heads of streams that hold the events 1 … count, and what is being stored behind them.
    private func heads(_ counts: [StreamID: Int], pending: [StreamID: [Int]] = [:]) -> StreamHeads {
        var heads = StreamHeads(LaneHeads())
        for (stream, count) in counts {
            let slot = heads.open(stream)
            for number in 0..<count { heads[slot].append(.numbered(number + 1), position: Int64(number + 1) * 10) }
            for id in pending[stream] ?? [] { heads[slot].appendPending(.numbered(id)) }
        }
        return heads
    }

    private func part(_ ids: [Int], to stream: StreamID, _ expected: ExpectedVersion) throws -> Append {
        try .of(ids.map { .numbered($0) }, to: stream, expecting: expected)
    }

    private func decide(_ parts: [Append], _ heads: StreamHeads, fresh: Set<StreamID>) throws -> String {
        var heads = heads
        let request = try AppendParcel.of(parts, isOneAppend: true).requests[0]
        return switch AppendDecision(request, heads: &heads, isFresh: fresh.contains) {
        case .store: "store"
        case .stored(let receipts): "stored \(receipts.map { "\($0.versions)" }.joined(separator: " "))"
        case .refuse(let error): "refuse \(error.message.contains("some of") ? "part" : "version") \(error.found ?? -1)"
        case .later: "later"
        case .read(let streams): "read \(streams.count)"
        }
    }

    @Test(
        arguments: [
            (0, ExpectedVersion.any, "store"), (0, .noStream, "store"), (0, .exists, "refuse version 0"),
            (0, .exactly(0), "store"), (0, .exactly(1), "refuse version 0"), (3, .any, "store"),
            (3, .noStream, "refuse version 3"), (3, .exists, "store"), (3, .exactly(3), "store"),
            (3, .exactly(2), "refuse version 3"), (3, .exactly(4), "refuse version 3"),
        ]
    )
    func `new events are stored only on what is expected`(held: Int, expected: ExpectedVersion, outcome: String) throws
    {
        let heads = heads([stream: held])
        let append = try part([100, 101], to: stream, expected)
        #expect(try decide([append], heads, fresh: [stream]) == outcome)
        // What may be out of date refuses nothing.
        #expect(try decide([append], heads, fresh: []) == (outcome == "store" ? "store" : "read 1"))
        #expect(try decide([append], StreamHeads(LaneHeads()), fresh: []) == "read 1")
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
            #expect(try decide([part(ids, to: stream, expected)], heads, fresh: [stream]) == outcome)
        }
        for expected in [ExpectedVersion.noStream, .exactly(0), .exactly(9)] {
            let wrong = outcome == "store" ? "refuse version 3" : outcome
            #expect(try decide([part(ids, to: stream, expected)], heads, fresh: [stream]) == wrong)
        }
        #expect(
            try decide([part(ids, to: stream, .any)], heads, fresh: [])
                == (outcome.hasPrefix("refuse") ? "read 1" : outcome)
        )
    }

    @Test func `what is being stored counts, but refuses nothing that it may yet allow`() throws {
        let heads = heads([stream: 3], pending: [stream: [50, 51]])
        func decision(_ ids: [Int], _ expected: ExpectedVersion) throws -> String {
            try decide([part(ids, to: stream, expected)], heads, fresh: [stream])
        }
        #expect(try decision([100], .any) == "store")
        #expect(try decision([100], .exactly(5)) == "store")
        #expect(try decision([100], .exactly(3)) == "later")
        #expect(try decision([100], .noStream) == "later")
        #expect(try decision([50], .any) == "later")
        #expect(try decision([50, 51], .exactly(0)) == "later")
        #expect(try decision([100, 51], .any) == "later")
        #expect(try decision([2], .any) == "stored 2...2")
        #expect(try decision([2, 1], .any) == "refuse part 3")
    }

    @Test func `an append to several streams is decided whole`() throws {
        let heads = heads([stream: 3, other: 1])
        let both: Set = [stream, other]
        let new = try part([100], to: stream, .any)
        let stored = try part([2, 3], to: stream, .any)
        #expect(try decide([new, part([1], to: other, .exactly(9))], heads, fresh: both) == "refuse part 1")
        #expect(try decide([stored, part([1], to: other, .exactly(9))], heads, fresh: []) == "stored 2...3 1...1")
        #expect(try decide([new, part([100], to: other, .exactly(1))], heads, fresh: []) == "store")
        #expect(try decide([new, part([100], to: other, .noStream)], heads, fresh: both) == "refuse version 1")
        #expect(try decide([new, part([100], to: other, .noStream)], heads, fresh: [stream]) == "read 1")
        #expect(try decide([stored, part([100], to: other, .any)], heads, fresh: both) == "refuse part 3")
        #expect(try decide([stored, part([100], to: other, .any)], heads, fresh: [stream]) == "read 1")
        let unknown = try part([1], to: .fresh(), .any)
        #expect(try decide([new, unknown], heads, fresh: both) == "read 1")
        #expect(
            try decide(
                [stored, part([100], to: other, .any)],
                self.heads([stream: 3, other: 1], pending: [other: [100]]),
                fresh: both
            ) == "later"
        )
    }
}
