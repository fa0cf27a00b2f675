import EventModel
import Testing

@testable import EventStore

@Suite struct StreamHeadsTests {
    @Test(arguments: [1, 63, 64, 65, 500])
    func `every id is found at its version, and no other`(count: Int) {
        var ascending = StreamHead()
        var shuffled = StreamHead()
        let ids = (0..<count).map { EventID.numbered($0 * 2) }
        let mixed = ids.shuffled()
        for id in ids { ascending.append(id, position: 1) }
        for id in mixed { shuffled.append(id, position: 1) }
        #expect(ids.map { ascending.version(of: $0) } == Array(1...count))
        #expect(mixed.map { shuffled.version(of: $0) } == Array(1...count))
        for number in stride(from: -1, through: count * 2 + 1, by: 2) where number >= 0 {
            #expect(ascending.version(of: .numbered(number)) == nil)
            #expect(shuffled.version(of: .numbered(number)) == nil)
        }
    }

    @Test func `an empty stream is known once it was extended by nothing`() {
        var heads = StreamHeads(LaneHeads())
        let stream = StreamID.fresh()
        #expect(heads.head(of: stream) == nil)
        heads.open(stream)
        #expect(heads.head(of: stream)?.version == 0)
    }

    @Test func `the streams appended to lately stay, the others are forgotten, and never while a group is decided`() {
        var heads = StreamHeads(LaneHeads(limit: 10))
        let streams = (0..<8).map { _ in StreamID.fresh() }
        for stream in streams { heads.extend(stream, by: [(.fresh(), 1), (.fresh(), 2)]) }
        #expect(streams.allSatisfy { heads.head(of: $0)?.version == 2 })
        heads.trim()
        #expect(streams.allSatisfy { heads.head(of: $0)?.version == 2 })
        // The first is used; the next full generation pushes the others out.
        heads.extend(streams[0], by: [(.fresh(), 3)])
        let younger = (0..<10).map { _ in StreamID.fresh() }
        for stream in younger { heads.extend(stream, by: [(.fresh(), 1)]) }
        heads.trim()
        #expect(heads.head(of: streams[0])?.version == 3)
        #expect(streams.dropFirst().allSatisfy { heads.head(of: $0) == nil })
        #expect(younger.allSatisfy { heads.head(of: $0)?.version == 1 })
    }

    @Test func `memory stays bounded whatever is appended`() {
        var heads = StreamHeads(LaneHeads(limit: 100))
        let streams = (0..<1000).map { _ in StreamID.fresh() }
        for number in 0..<10_000 {
            heads.extend(streams[number % 1000], by: [(.fresh(), 1)])
            heads.trim()
            if number % 500 == 0 { #expect(streams.count { heads.head(of: $0) != nil } <= 202) }
        }
    }

    @Test func `what is forgotten is gone from both generations`() {
        var heads = StreamHeads(LaneHeads(limit: 1))
        let stream = StreamID.fresh()
        heads.extend(stream, by: [(.fresh(), 1), (.fresh(), 2)])
        heads.trim()
        heads.removeAll()
        #expect(heads.head(of: stream) == nil)
        heads.extend(stream, by: [(.fresh(), 1)])
        heads.removeAll()
        #expect(heads.head(of: stream) == nil)
    }
}

extension StreamHeads {
    /// Adds events that are stored.
    fileprivate mutating func extend(_ stream: StreamID, by events: [(id: EventID, position: Int64)]) {
        let slot = open(stream)
        for event in events { self[slot].append(event.id, position: event.position) }
    }
}
