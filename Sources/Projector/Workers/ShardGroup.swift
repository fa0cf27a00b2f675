internal import EventStore

/// Shards that stand at one cursor, and for which the same events are read.
struct ShardGroup {
    let cursor: LogCursor
    /// Which shards' streams are read; `nil` for all streams.
    private(set) var reads: ShardSet?
    /// The shards of each projection, by the projection's index in the list.
    private(set) var shards: [Int: ShardSet]

    init(_ set: ShardSet, at index: Int, cursor: LogCursor) {
        self.cursor = cursor
        reads = set.isWhole ? nil : set
        shards = [index: set]
    }

    /// Adds the shards of another projection, if that reads no needless events: if both projections have the same
    /// number of shards, or this worker holds all shards of both.
    mutating func admits(_ set: ShardSet, at index: Int, cursor: LogCursor) -> Bool {
        guard cursor == self.cursor, set.isWhole == (reads == nil) else { return false }
        if let reads {
            guard reads.count == set.count else { return false }
            self.reads = ShardSet(count: set.count, members: reads.members + set.members)
        }
        shards[index] = set
        return true
    }
}
