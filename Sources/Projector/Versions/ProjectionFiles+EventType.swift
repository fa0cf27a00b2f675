internal import EventModel
internal import Schema

extension ProjectionFiles {
    /// Whether the projection takes events of a type.
    func handles(_ type: EventType) -> Bool { handles.contains { Self.covers($0, type.name) } }

    /// Whether the declared columns are read from events of a type; otherwise they are NULL, whatever the event holds.
    func reads(_ type: EventType) -> Bool { reads.contains { Self.covers($0, type.name) } }
}
