internal import EventModel
internal import FoundationEssentials
internal import Postgres

extension ActFor {
    /// Acts for a user in the role that sees only that user's rows, whatever else the login may do.
    init(_ acting: ActingUser) { self.init(acting.user.uuid, as: "recorder_service") }
}

/// Appends events to the acting user's stream.
struct AppendOwnEvents: PostgresStatement {
    private let events: PostgresJSON

    /// - Throws: `EventModelError` if the metadata hold something that no event may.
    init(_ events: [ChangeEvent], by acting: ActingUser) throws(EventModelError) {
        var writer = JSONWriter(capacity: 256 * events.count)
        let metadata = try acting.metadata.json()
        let user = acting.user.description
        writer.beginArray()
        for event in events {
            writer.beginObject()
            writer.key("stream")
            writer.string(user)
            writer.key("type")
            writer.string(event.type)
            writer.key("data")
            writer.raw(event.data)
            writer.key("metadata")
            writer.raw(metadata)
            writer.endObject()
        }
        writer.endArray()
        self.events = PostgresJSON(writer.bytes)
    }

    let sql = "select count(*) from append_own_events($1)"

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(events) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) {}
}
