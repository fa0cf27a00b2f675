internal import EventModel
package import FoundationEssentials

/// Decides which worker gets which shards. Pure: all workers that see the same others come to the same answer, without
/// asking anybody.
///
/// Rendezvous hashing with bounded loads: each shard goes to the worker that has room and the highest hash with it, so
/// loads differ by one at most, and few shards move when a worker comes or goes.
package enum ShardAssignment {
    /// The shards of one worker.
    ///
    /// - Parameters:
    ///   - worker: The worker.
    ///   - workers: All living ones, in any order.
    ///   - count: How many shards there are.
    package static func shards(of worker: UUID, among workers: some Sequence<UUID>, count: Int) -> Set<Int> {
        let workers = Set(workers).union([worker]).sorted()
        var rooms = Dictionary(
            uniqueKeysWithValues: workers.enumerated().map { index, worker in
                (worker, count / workers.count + (index < count % workers.count ? 1 : 0))
            }
        )
        var mine: Set<Int> = []
        for shard in 0..<count {
            let free = workers.filter { rooms[$0, default: 0] > 0 }
            guard let chosen = free.max(by: { score($0, shard) < score($1, shard) }) else { break }
            rooms[chosen, default: 0] -= 1
            if chosen == worker { mine.insert(shard) }
        }
        return mine
    }

    /// A hash of the worker's id and the shard.
    private static func score(_ worker: UUID, _ shard: Int) -> UInt64 {
        var hash = FNV1a64()
        for half in [worker.high, worker.low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                hash.combine(UInt8(truncatingIfNeeded: half >> UInt64(shift)))
            }
        }
        hash.combine(UInt8(truncatingIfNeeded: shard))
        hash.combine(UInt8(truncatingIfNeeded: shard >> 8))
        // The last byte alone moves the high bits too little.
        let mixed = (hash.value ^ (hash.value >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return mixed ^ (mixed >> 33)
    }
}
