internal import EventModel

extension EventDraft {
    /// The user whom a `session.started` names: the session's stream is about them. Nil for other events, and where
    /// what stands there is no user's id.
    var subject: StreamID? {
        guard type == .sessionStarted else { return nil }
        var named: String?
        let bytes = json.span
        var members = JSONMembers(of: bytes, in: dataRange, trusted: true)
        // Of a name that comes twice, the last one counts.
        while let member = try? members.next(in: bytes) {
            guard member.key.equals(Self.userId, in: bytes) else { continue }
            named = member.value.string(in: bytes)
        }
        return named.flatMap { StreamID($0) }
    }

    private static let userId = Array("userId".utf8)
}
