/// Events for one stream that are stored together, one after another, or not at all.
public struct Append: Hashable, Sendable {
    /// The stream that the events go to.
    public let stream: StreamID
    /// What the stream must hold for the append to succeed.
    public let expectedVersion: ExpectedVersion
    /// The events, in the order in which they happened.
    public let events: [EventDraft]

    /// Combines events for one stream.
    ///
    /// - Parameters:
    ///   - stream: The stream that the events go to.
    ///   - expectedVersion: What the stream must hold.
    ///   - events: At least one event, all with different ids; the event store refuses anything else.
    public init(stream: StreamID, expectedVersion: ExpectedVersion = .any, events: [EventDraft]) {
        self.stream = stream
        self.expectedVersion = expectedVersion
        self.events = events
    }
}
