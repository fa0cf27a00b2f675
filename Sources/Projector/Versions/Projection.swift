internal import EventModel
package import Schema

/// One version of a projection as the projector works with it: which events it takes, which fields of them, and the
/// statements that fold them.
package struct Projection: Sendable, Hashable {
    package let name: String
    package let version: Int
    /// Which one it is.
    var id: ProjectionVersion { files.id }
    /// Event types, `noun.*` for all of a noun, or `*` for all.
    let handles: [String]
    /// The columns of `batch` that it declares.
    var columns: [ProjectionFiles.Column] { files.columns }
    /// The statements of apply.sql, each with `batch` in front of it as an array for each column.
    var statements: [String] { files.statements }
    /// The statements of apply.sql for a batch of one event, each with its values in front of it.
    var statementsOfOne: [String] { files.statementsOfOne }
    /// Over how many shards its streams may be spread; `nil` for as many as the projector has.
    var mostShards: Int? { files.mostShards }
    private let files: ProjectionFiles

    /// Takes a projection from its files.
    package init(_ files: ProjectionFiles) {
        name = files.name
        version = files.version
        handles = files.handles
        self.files = files
    }

    /// The statements of apply.sql, each with another relation as its `batch`; see `ProjectionFiles`.
    func statements(over batch: String) -> [String] { files.statements(over: batch) }

    /// The newest version of every projection in a set of files.
    ///
    /// - Throws: `SchemaError` that names file and line.
    package static func newest(in files: SQLFiles = .embedded) throws(SchemaError) -> [Projection] {
        try ProjectionFiles.newest(in: files).map { Projection($0) }
    }

    /// Whether the projection takes events of a type.
    func handles(_ type: EventType) -> Bool {
        handles.contains { ProjectionFiles.covers($0, type.name) }
    }

    /// Whether the declared columns are read from events of a type; otherwise they are NULL, whatever the event holds.
    func reads(_ type: EventType) -> Bool {
        files.reads.contains { ProjectionFiles.covers($0, type.name) }
    }
}
