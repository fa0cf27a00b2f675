internal import Postgres

/// The part of the log to read: events of some streams and types, or a union of several such pieces.
package struct LogPart: Sendable {
    /// Events of some streams, and of some types.
    private struct Piece {
        /// The shards of the streams; `nil` for all.
        let shards: ShardSet?
        /// The event types; `nil` for all.
        let types: EventTypeFilter?

        var isWhole: Bool { shards == nil && types == nil }
        /// How many parameters the piece's condition has.
        var parameterCount: Int { (shards == nil ? 0 : 2) + (types == nil ? 0 : 2) }

        /// The piece's condition, which begins with `and`; its parameters are numbered from `first`.
        func condition(from first: Int) -> String {
            guard shards != nil else { return EventTypeFilter.condition(types, from: first) }
            return "and stream_shard(stream_id, $\(first)) = any($\(first + 1)::integer[]) "
                + EventTypeFilter.condition(types, from: first + 2)
        }
    }

    /// The pieces; empty for the whole log.
    private let pieces: [Piece]

    /// - Parameters:
    ///   - shards: The shards of the streams; `nil` for all.
    ///   - types: The event types; `nil` for all.
    package init(shards: ShardSet?, types: EventTypeFilter?) { self.init([(shards, types)]) }

    /// - Parameter pieces: An event is read if it is in any of them.
    package init(_ pieces: [(shards: ShardSet?, types: EventTypeFilter?)]) {
        let pieces = pieces.map { Piece(shards: $0.shards?.isWhole == true ? nil : $0.shards, types: $0.types) }
        self.pieces = pieces.contains(where: \.isWhole) ? [] : pieces
    }

    /// Whether it is all of the log.
    var isWhole: Bool { pieces.isEmpty }

    /// The largest share of the log that the part can be, judging by its number of shards.
    var share: Double {
        guard !pieces.isEmpty else { return 1 }
        let shares = pieces.map { $0.shards.map { Double($0.members.count) / Double($0.count) } ?? 1 }
        return min(1, shares.reduce(0, +))
    }

    /// The condition that limits a statement to the part; its parameters are numbered from `first`.
    func condition(from first: Int) -> String {
        guard pieces.count > 1 else { return pieces.first?.condition(from: first) ?? "" }
        var number = first
        var conditions: [String] = []
        for piece in pieces {
            conditions.append("(true \(piece.condition(from: number)))")
            number += piece.parameterCount
        }
        return "and (\(conditions.joined(separator: " or ")))"
    }

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) {
        for piece in pieces {
            if let shards = piece.shards {
                try parameters.append(Int32(shards.count))
                try parameters.append(shards.members.map { Int32($0) })
            }
            try piece.types?.bind(&parameters)
        }
    }
}
