internal import EventModel
internal import Postgres

/// One version of a projection: which events it takes, which fields of them, and the statements that fold them.
package struct Projection: Sendable, Hashable {
    /// A column of `batch` that the projection declares.
    package struct Column: Sendable, Hashable {
        package let name: String
        package let type: FieldType
        package let path: FieldPath

        package init(name: String, type: FieldType, path: FieldPath) {
            self.name = name
            self.type = type
            self.path = path
        }
    }

    package let name: String
    package let version: Int
    /// Event types, `noun.*` for all of a noun, or `*` for all.
    package let handles: [String]
    package let columns: [Column]
    /// The statements of apply.sql, each with `batch` in front of it.
    let statements: [String]

    /// The columns that every `batch` has, and their SQL types.
    static let commonColumns: [(name: String, type: PostgresType)] = [
        ("position", .int8), ("stream_id", .uuid), ("version", .int4), ("event_id", .uuid), ("type", .text),
        ("occurred_at", .timestamptz), ("recorded_at", .timestamptz),
    ]

    /// Whether the projection takes events of a type.
    func handles(_ type: EventType) -> Bool {
        handles.contains { pattern in
            pattern == "*" || pattern == type.name
                || (pattern.hasSuffix(".*") && type.name.hasPrefix(pattern.dropLast()))
        }
    }
}
