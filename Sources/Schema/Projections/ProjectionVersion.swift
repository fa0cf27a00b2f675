package import Postgres

/// A version of a projection; several may exist side by side, and a fault of one does not affect the others.
package struct ProjectionVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let name: String
    package let version: Int

    package var description: String { "\(name) v\(version)" }

    package init(name: String, version: Int) { (self.name, self.version) = (name, version) }

    package static func < (left: Self, right: Self) -> Bool {
        (left.name, left.version) < (right.name, right.version)
    }
}

extension ProjectionVersion {
    /// Reads the name and the version at the beginning of a row.
    package init(_ row: borrowing PostgresRow) throws(PostgresError) {
        self.init(name: try row.decode(at: 0), version: try row.decode(at: 1))
    }
}

extension PostgresParameters {
    /// Appends two values: the name and the version.
    package mutating func append(_ projection: ProjectionVersion) throws(PostgresError) {
        try append(projection.name)
        try append(Int32(projection.version))
    }

    /// Appends two arrays: names and versions.
    package mutating func append(_ projections: [ProjectionVersion]) throws(PostgresError) {
        try append(projections.map(\.name))
        try append(projections.map { Int32($0.version) })
    }
}
