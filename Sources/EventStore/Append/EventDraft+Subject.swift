internal import EventModel

extension EventDraft {
    /// The user that a `session.started` names as the subject of its stream. `nil` for other events, and if `userId` is
    /// not a valid id.
    var subject: StreamID? {
        guard type == .sessionStarted else { return nil }
        var named: String?
        let bytes = json.span
        var members = JSONMembers(of: bytes, in: dataRange, trusted: true)
        // If a name occurs twice, the last one counts.
        while let member = try? members.next(in: bytes) {
            guard member.key.equals(Self.userId, in: bytes) else { continue }
            named = member.value.string(in: bytes)
        }
        return named.flatMap { StreamID($0) }
    }

    private static let userId = Array("userId".utf8)
}
