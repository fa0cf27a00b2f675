internal import Postgres
package import Schema

/// One shard of one version of a projection.
package struct ProjectionShard: Hashable, Comparable, Sendable {
    package let projection: ProjectionVersion
    package let shard: Int

    package static func < (left: Self, right: Self) -> Bool {
        (left.projection, left.shard) < (right.projection, right.shard)
    }
}

extension ProjectionShard {
    /// Reads `projection, version, shard` at the beginning of a row.
    init(_ row: borrowing PostgresRow) throws(PostgresError) {
        self.init(projection: try ProjectionVersion(row), shard: try row.decode(at: 2))
    }
}

extension PostgresParameters {
    /// Appends three arrays: names, versions, shards.
    mutating func append(keys: [ProjectionShard]) throws(PostgresError) {
        try append(keys.map(\.projection))
        try append(keys.map { Int16($0.shard) })
    }
}
