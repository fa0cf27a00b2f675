internal import EventModel
internal import EventStore

/// Which events of a batch go to which shadow: those of the lane's streams that the shadow has not stopped.
struct LaneFilter: Sendable {
    /// For each shadow, whether each of its shards is in the lane; empty for one that is not.
    private let isMember: [[Bool]]
    /// For each shadow, the streams that it has stopped.
    private let stopped: [Set<StreamID>]

    /// - Parameters:
    ///   - shards: The lane's shards of each shadow, by its place.
    ///   - stopped: For each shadow, the streams that it has stopped.
    init(_ shards: [Int: ShardSet], stopped: [Set<StreamID>]) {
        isMember = stopped.indices.map { place in
            shards[place].map { set in (0..<set.count).map(Set(set.members).contains) } ?? []
        }
        self.stopped = stopped
    }

    /// For each shadow, over how many shards its streams are spread.
    var counts: [Int] { isMember.map { max(1, $0.count) } }

    /// The first of a shadow's shards that is in the lane.
    func firstShard(at place: Int) -> Int { isMember[place].firstIndex(of: true) ?? 0 }

    /// Which of a shadow's shards a stream belongs to; `nil` if that is not in the lane.
    func shard(of stream: StreamID, at place: Int) -> Int? {
        guard !isMember[place].isEmpty else { return nil }
        let shard = ShardSet.shard(of: stream, count: isMember[place].count)
        return isMember[place][shard] ? shard : nil
    }

    /// Whether a shadow has stopped a stream.
    func hasStopped(_ stream: StreamID, at place: Int) -> Bool {
        !stopped[place].isEmpty && stopped[place].contains(stream)
    }

    /// Whether a shadow is to get an event of a type that it handles.
    func accepts(_ event: StoredEvent, at place: Int) -> Bool {
        shard(of: event.stream, at: place) != nil && !hasStopped(event.stream, at: place)
    }
}
