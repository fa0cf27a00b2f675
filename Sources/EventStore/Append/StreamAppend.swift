internal import EventModel

/// What is appended to one stream: an ``Append``, or a line, which is one event without an array around it.
protocol StreamAppend: Sendable {
    associatedtype Events: Collection<EventDraft>

    /// The stream that the events go to.
    var stream: StreamID { get }
    /// What the stream must hold for the append to succeed.
    var expectedVersion: ExpectedVersion { get }
    /// The events, in their order.
    var events: Events { get }
    /// The user that the session starting here is about, if one starts.
    var subject: StreamID? { get }
}

extension Append: StreamAppend {
    var subject: StreamID? {
        for event in events {
            if let subject = event.subject { return subject }
        }
        return nil
    }
}

extension EventLine: StreamAppend {
    var events: CollectionOfOne<EventDraft> { CollectionOfOne(event) }
    var subject: StreamID? { event.subject }
}
