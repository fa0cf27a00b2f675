public import EventModel

/// The user that calls are made for, and who makes them, from where.
public struct ActingUser: Sendable {
    /// The user whose rows are seen and changed; their stream gets the events.
    public var user: StreamID
    /// The actor, address, program and trace that each event carries. Without an actor, the user acts in person.
    public var metadata: EventMetadata

    /// - Parameters:
    ///   - user: Whose rows are seen and changed.
    ///   - metadata: What each event carries.
    public init(_ user: StreamID, metadata: EventMetadata = EventMetadata()) {
        self.user = user
        self.metadata = metadata
        if metadata.actor == nil { self.metadata.actor = user.description }
    }
}
