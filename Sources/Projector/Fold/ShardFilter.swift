internal import EventModel
internal import EventStore

/// Which events of a batch go to which projection: those of streams in its shards, unless it has stopped the stream.
struct ShardFilter: Sendable {
    /// For each projection, whether each of its shards takes part; empty if none does.
    private let isMember: [[Bool]]
    /// For each projection, the streams that it has stopped.
    private let stopped: [Set<StreamID>]

    /// - Parameters:
    ///   - shards: The shards of each projection that take part, by its index.
    ///   - stopped: For each projection, the streams that it has stopped.
    init(_ shards: [Int: ShardSet], stopped: [Set<StreamID>]) {
        isMember = stopped.indices.map { index in
            shards[index].map { set in (0..<set.count).map(Set(set.members).contains) } ?? []
        }
        self.stopped = stopped
    }

    /// For each projection, how many shards its streams are spread over.
    var counts: [Int] { isMember.map { max(1, $0.count) } }

    /// The first of a projection's shards that takes part.
    func firstShard(at index: Int) -> Int { isMember[index].firstIndex(of: true) ?? 0 }

    /// Which of a projection's shards a stream belongs to; `nil` if that shard does not take part.
    func shard(of stream: StreamID, at index: Int) -> Int? {
        guard !isMember[index].isEmpty else { return nil }
        let shard = ShardSet.shard(of: stream, count: isMember[index].count)
        return isMember[index][shard] ? shard : nil
    }

    /// Whether a projection has stopped a stream.
    func hasStopped(_ stream: StreamID, at index: Int) -> Bool {
        !stopped[index].isEmpty && stopped[index].contains(stream)
    }

    /// Whether a projection is to get an event of a type that it handles.
    func accepts(_ event: StoredEvent, at index: Int) -> Bool {
        shard(of: event.stream, at: index) != nil && !hasStopped(event.stream, at: index)
    }
}
