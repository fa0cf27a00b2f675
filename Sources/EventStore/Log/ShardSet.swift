package import EventModel
internal import FoundationEssentials

/// A set of the shards that streams are spread over.
///
/// A stream's shard is the last byte of its id, which is random in every version of UUID, modulo the number of shards;
/// SQL has the same as `stream_shard(stream_id, shards)`.
package struct ShardSet: Hashable, Sendable {
    /// How many shards there are, 1 … 256.
    package let count: Int
    /// The shards in the set, ascending.
    package let members: [Int]

    /// - Parameters:
    ///   - count: How many shards there are.
    ///   - members: The shards in the set.
    package init(count: Int, members: some Sequence<Int>) {
        self.count = count
        self.members = Set(members).sorted()
    }

    /// Whether all shards are in the set.
    package var isWhole: Bool { members.count == count }

    /// The shard of a stream.
    package static func shard(of stream: StreamID, count: Int) -> Int { Int(stream.uuid.uuid.15) % count }
}
