import Foundation
import Testing

@testable import Projector

@Suite struct ShardAssignmentTests {
    private let workers = (0..<5).map { index in
        UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, UInt8(index)))
    }

    private func assignment(_ workers: some Sequence<UUID>) -> [UUID: Set<Int>] {
        let workers = Array(workers)
        return Dictionary(
            uniqueKeysWithValues: workers.map {
                ($0, ShardAssignment.shards(of: $0, among: workers.shuffled(), count: 16))
            }
        )
    }

    @Test(arguments: 1...5) func `every shard has exactly one worker, and loads differ by one at most`(count: Int) {
        let shards = assignment(workers.prefix(count))
        #expect(shards.values.reduce(0) { $0 + $1.count } == 16)
        #expect(shards.values.reduce(into: Set<Int>()) { $0.formUnion($1) } == Set(0..<16))
        let loads = shards.values.map(\.count)
        #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= 1)
    }

    @Test func `a worker that leaves moves few shards of the others`() {
        let before = assignment(workers.prefix(4))
        let after = assignment(workers.prefix(3))
        let kept = workers.prefix(3).reduce(0) { $0 + (before[$1] ?? []).intersection(after[$1] ?? []).count }
        #expect(kept >= 9, "of the 12 shards of those who stay, \(kept) stayed")
    }

    @Test func `one that is not on the list yet counts itself`() {
        #expect(ShardAssignment.shards(of: workers[0], among: [], count: 16) == Set(0..<16))
    }
}
