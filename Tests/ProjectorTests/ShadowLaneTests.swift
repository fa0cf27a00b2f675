import EventStore
import Schema
import Testing

@testable import Projector

/// How shards of several shadows share the reading of the log.
@Suite struct ShadowLaneTests {
    private func checkpoints(_ count: Int, at cursor: LogCursor = .beginning) -> [ShadowCheckpoint] {
        (0..<count).map {
            ShadowCheckpoint(
                shard: $0,
                shards: count,
                checksum: "",
                cursor: cursor,
                events: 0,
                read: 0,
                total: 0,
                differences: nil
            )
        }
    }

    private func cursor(_ text: String) throws -> LogCursor { try #require(LogCursor(text)) }

    private func members(_ lane: ShadowLane) -> [Int: [Int]] { lane.shards.mapValues(\.members) }

    @Test func `shadows at one place share lanes, of the same streams`() throws {
        let target = try cursor("9:9:")
        let all = [checkpoints(16), checkpoints(8), checkpoints(1)]
        let lanes = ShadowLane.all(all, to: { _, _ in target }, parallelism: 2)
        #expect(
            lanes.map(members) == [
                [0: Array(stride(from: 0, to: 16, by: 2)), 1: [0, 2, 4, 6], 2: [0]],
                [0: Array(stride(from: 1, to: 16, by: 2)), 1: [1, 3, 5, 7]],
            ]
        )
    }

    @Test(arguments: 1...5)
    func `every shard of every shadow is in one lane`(parallelism: Int) throws {
        let target = try cursor("9:9:")
        let all = [checkpoints(16), checkpoints(3), checkpoints(1)]
        let lanes = ShadowLane.all(all, to: { _, _ in target }, parallelism: parallelism)
        #expect(lanes.count == parallelism)
        for (place, count) in [(0, 16), (1, 3), (2, 1)] {
            #expect(lanes.flatMap { members($0)[place] ?? [] }.sorted() == Array(0..<count))
        }
    }

    @Test func `shadows at different places, or on different ways, have lanes of their own`() throws {
        let (behind, target) = (try cursor("5:5:"), try cursor("9:9:"))
        let all = [checkpoints(2), checkpoints(2, at: behind), checkpoints(2)]
        let lanes = ShadowLane.all(all, to: { place, _ in place == 2 ? behind : target }, parallelism: 1)
        #expect(lanes.map(members) == [[0: [0, 1]], [1: [0, 1]], [2: [0, 1]]])
    }

    @Test func `a shard that stands at its target is in no lane`() throws {
        let target = try cursor("9:9:")
        #expect(ShadowLane.all([checkpoints(2, at: target)], to: { _, _ in target }, parallelism: 2).isEmpty)
    }
}
