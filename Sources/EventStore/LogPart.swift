internal import Postgres

/// The part of the log that is read.
struct LogPart: Sendable {
    private let shards: ShardSet?
    private let types: EventTypeFilter?

    /// - Parameters:
    ///   - shards: Whose streams; `nil` for all.
    ///   - types: Which types; `nil` for all.
    init(shards: ShardSet?, types: EventTypeFilter?) {
        self.shards = shards?.isWhole == true ? nil : shards
        self.types = types
    }

    /// How much of the log it is, as far as the number of shards tells.
    var share: Double { shards.map { Double($0.members.count) / Double($0.count) } ?? 1 }

    /// The condition that keeps a statement to the part, with its parameters numbered from `first`.
    func condition(from first: Int) -> String {
        guard shards != nil else { return EventTypeFilter.condition(types, from: first) }
        return "and stream_shard(stream_id, $\(first)) = any($\(first + 1)::integer[]) "
            + EventTypeFilter.condition(types, from: first + 2)
    }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        if let shards {
            try parameters.append(Int32(shards.count))
            try parameters.append(shards.members.map { Int32($0) })
        }
        try types?.bind(&parameters)
    }
}
