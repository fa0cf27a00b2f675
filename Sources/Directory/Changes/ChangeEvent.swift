internal import EventModel

/// The event about one changed row, or about a refused access.
struct ChangeEvent: Sendable {
    /// The event's type, such as `document.updated`.
    let type: String
    /// Its data, as JSON.
    let data: String

    /// The event of a successful change of a row.
    ///
    /// - Parameter assignments: The columns that were set. The event names them all, and shows the values of those that
    ///   are not personal.
    init<Entity: StoredEntity>(
        _ verb: String,
        _ entity: Entity,
        _ user: StreamID,
        _ assignments: [Assignment<Entity>] = []
    ) {
        type = "\(Entity.table.noun).\(verb)"
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("id")
        writer.string(entity.id.description)
        writer.key("userId")
        writer.string(user.description)
        writer.key("version")
        writer.integer(Int64(entity.version))
        if !assignments.isEmpty {
            writer.key("changed")
            writer.beginArray()
            for assignment in assignments { writer.string(Self.field(assignment.column)) }
            writer.endArray()
            for assignment in assignments {
                guard let shown = assignment.shown else { continue }
                writer.key(Self.field(assignment.column))
                writer.raw(shown)
            }
        }
        writer.key("result")
        writer.string("success")
        writer.endObject()
        data = String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The event of an access that was refused.
    init(denied resource: String, to user: StreamID) {
        type = "access.denied"
        let members: [JSONValue.Member] = [
            .init("userId", .string(user.description)), .init("resource", .string(resource)),
            .init("result", .string("failure")),
        ]
        data = JSONValue.object(members).json
    }

    /// The events as drafts, for a log that seals personal fields.
    ///
    /// - Throws: `EventModelError` if the metadata hold something that no event may.
    static func drafts(_ events: [ChangeEvent], by acting: ActingUser) throws(EventModelError) -> [EventDraft] {
        let metadata = try acting.metadata.json()
        var drafts: [EventDraft] = []
        for event in events {
            drafts.append(
                try EventDraft(
                    id: .generate(at: .now()),
                    type: try EventType(event.type),
                    data: Array(event.data.utf8),
                    metadata: metadata
                )
            )
        }
        return drafts
    }

    /// A column's name as an event's field: `is_active` becomes `isActive`.
    static func field(_ column: String) -> String {
        let words = column.split(separator: "_")
        let rest = words.dropFirst().map { word in
            word == "ids" ? "Ids" : word.prefix(1).uppercased() + word.dropFirst()
        }
        return ([words.first.map(String.init) ?? ""] + rest).joined()
    }
}
