internal import Postgres
internal import Schema

/// A version of a projection: several may stand side by side, and one's fault is not the other's.
package struct ProjectionVersion: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    package let version: Int

    package var description: String { "\(name) v\(version)" }

    init(name: String, version: Int) { (self.name, self.version) = (name, version) }

    init(_ files: ProjectionFiles) { self.init(name: files.name, version: files.version) }
}

extension PostgresParameters {
    /// Appends two values: the name and the version.
    mutating func append(_ projection: ProjectionVersion) throws(PostgresError) {
        try append(projection.name)
        try append(Int32(projection.version))
    }
}
