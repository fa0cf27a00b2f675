internal import EventModel
internal import EventStore
internal import Postgres

/// An event that a projection cannot apply, and why.
struct FailingEvent {
    let event: StoredEvent
    let type: String
    /// What failed, without the payload.
    let reason: String
}

extension PostgresParameters {
    /// Appends five values: the stream, the event's id and version, its type, and the reason.
    mutating func append(_ failing: FailingEvent) throws(PostgresError) {
        try append(failing.event.stream.uuid)
        try append(failing.event.id.uuid)
        try append(Int32(failing.event.version))
        try append(failing.type)
        try append(failing.reason)
    }
}
