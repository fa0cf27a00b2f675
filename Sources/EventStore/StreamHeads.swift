internal import EventModel

/// The heads of the streams that were appended to lately, in bounded memory.
///
/// Two generations: when the younger is full, the older is forgotten and the younger takes its place. A stream that is
/// appended to moves to the younger one. Nothing is forgotten but by ``trim()``, so that what a group was decided on stays
/// until the group is stored.
struct StreamHeads: Sendable {
    private var young: [StreamID: StreamHead] = [:]
    private var old: [StreamID: StreamHead] = [:]
    private var youngEvents = 0
    private let limit: Int

    /// - Parameter limit: How many events, and how many streams, a generation may hold; an event takes 24 bytes.
    init(limit: Int = 250_000) { self.limit = limit }

    /// The head of a stream, if it is known.
    subscript(stream: StreamID) -> StreamHead? { young[stream] ?? old[stream] }

    /// Adds events to a stream's head, which becomes known if it was not.
    mutating func extend(_ stream: StreamID, by events: some Sequence<(id: EventID, position: Int64)>) {
        if young[stream] == nil {
            let head = old.removeValue(forKey: stream) ?? StreamHead()
            youngEvents += head.version
            young[stream] = head
        }
        for event in events {
            young[stream]?.append(event.id, position: event.position)
            youngEvents += 1
        }
    }

    /// Forgets what is known of one stream.
    mutating func forget(_ stream: StreamID) {
        if let head = young.removeValue(forKey: stream) { youngEvents -= head.version }
        old[stream] = nil
    }

    /// Forgets everything: what was known may be wrong after a lost connection.
    mutating func removeAll() {
        young = [:]
        old = [:]
        youngEvents = 0
    }

    /// Forgets the streams that were not appended to for longest, if there are too many.
    mutating func trim() {
        guard youngEvents > limit || young.count > limit else { return }
        old = young
        young = [:]
        youngEvents = 0
    }
}
