internal import EventModel

extension EventDraft {
    /// The user whom a `session.started` names: the session's stream is about him. Nil for other events, and where what
    /// stands there is no user's id.
    var subject: StreamID? {
        guard type == .sessionStarted, let data = try? JSONValue(json: data) else { return nil }
        return data["userId"]?.string.flatMap { StreamID($0) }
    }
}
