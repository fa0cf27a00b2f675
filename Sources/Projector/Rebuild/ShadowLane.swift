internal import EventStore
internal import Schema

/// Shards of one or more shadows that share a cursor and a target, so that the log is read once for all of them.
struct ShadowLane: Sendable {
    /// The shards of each shadow, by its index in the build.
    private(set) var shards: [Int: ShardSet]
    var cursor: LogCursor
    let target: LogCursor

    /// Groups shards with the same cursor and target, and splits groups until all connections have work.
    ///
    /// - Parameters:
    ///   - checkpoints: Where the shards of each shadow stand, by its index; each precedes its target.
    ///   - target: The cursor that a shard of a shadow is to reach.
    static func all(
        _ checkpoints: [[ShadowCheckpoint]],
        to target: (_ index: Int, _ shard: Int) -> LogCursor,
        parallelism: Int
    ) -> [ShadowLane] {
        var lanes: [ShadowLane] = []
        for (index, shards) in checkpoints.enumerated() {
            for checkpoint in shards where checkpoint.cursor != target(index, checkpoint.shard) {
                let goal = target(index, checkpoint.shard)
                let known = lanes.firstIndex { $0.cursor == checkpoint.cursor && $0.target == goal }
                let lane = known ?? lanes.endIndex
                if known == nil { lanes.append(ShadowLane(shards: [:], cursor: checkpoint.cursor, target: goal)) }
                let members = lanes[lane].shards[index]?.members ?? []
                lanes[lane].shards[index] = ShardSet(
                    count: checkpoint.shards,
                    members: members + [checkpoint.shard]
                )
            }
        }
        while lanes.count < parallelism,
            let widest = lanes.indices.max(by: { lanes[$0].width < lanes[$1].width }),
            lanes[widest].width > 1
        {
            lanes.append(lanes[widest].split())
        }
        return lanes
    }

    /// The most shards that one of its shadows has.
    private var width: Int { shards.values.map(\.members.count).max() ?? 0 }

    /// Moves every other shard of each shadow to a new lane.
    ///
    /// If one shadow has twice as many shards as another, both then keep the same streams.
    private mutating func split() -> ShadowLane {
        var other = self
        other.shards = [:]
        for (index, set) in shards {
            let members = set.members.enumerated()
            shards[index] = ShardSet(count: set.count, members: members.filter { $0.offset % 2 == 0 }.map(\.element))
            let given = members.filter { $0.offset % 2 == 1 }.map(\.element)
            if !given.isEmpty { other.shards[index] = ShardSet(count: set.count, members: given) }
        }
        return other
    }

    /// The part of the log that it reads.
    ///
    /// - Parameter projections: The build's projections, by index.
    func part(of projections: [ProjectionFiles]) -> LogPart {
        // Shadows with the same shards are one piece: the types of all of them, in the streams of those shards.
        let pieces = Dictionary(grouping: shards.keys.sorted()) { shards[$0] }
        return LogPart(
            pieces.map { set, indices in (set, EventTypeFilter(indices.flatMap { projections[$0].handles })) }
        )
    }
}
