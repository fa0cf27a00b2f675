internal import Postgres

/// One shard of one version of a projection.
package struct ProjectionShard: Hashable, Comparable, Sendable {
    package let projection: String
    package let version: Int
    package let shard: Int

    /// Which version of which projection it is a shard of.
    var projectionVersion: ProjectionVersion { ProjectionVersion(name: projection, version: version) }

    package static func < (left: Self, right: Self) -> Bool {
        (left.projection, left.version, left.shard) < (right.projection, right.version, right.shard)
    }
}

extension ProjectionShard {
    /// Reads `projection, version, shard` at the beginning of a row.
    init(_ row: borrowing PostgresRow) throws(PostgresError) {
        self.init(projection: try row.decode(at: 0), version: try row.decode(at: 1), shard: try row.decode(at: 2))
    }
}

extension PostgresParameters {
    /// Appends three arrays: names, versions, shards.
    mutating func append(keys: [ProjectionShard]) throws(PostgresError) {
        try append(keys.map(\.projection))
        try append(keys.map { Int32($0.version) })
        try append(keys.map { Int16($0.shard) })
    }
}
