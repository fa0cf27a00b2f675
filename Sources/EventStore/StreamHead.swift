internal import EventModel

/// What is stored in one stream, as far as an append needs it: the events' ids and positions by version.
///
/// Versions are dense, so version n lies at index n − 1, and a head that was read once stays right: others can only add
/// to the stream behind it.
struct StreamHead: Sendable {
    private(set) var ids: [EventID] = []
    private(set) var positions: [Int64] = []
    /// The highest id, so that a new UUIDv7 is known to be new without a search.
    private var highest: EventID?

    /// How many events the stream holds.
    var version: Int { ids.count }

    /// Adds the next event.
    mutating func append(_ id: EventID, position: Int64) {
        ids.append(id)
        positions.append(position)
        if let highest, !highest.precedes(id) { return }
        highest = id
    }

    /// The version of an event, or `nil` if it is not here.
    func version(of id: EventID) -> Int? {
        if let highest, highest.precedes(id) { return nil }
        return ids.lastIndex(of: id).map { $0 + 1 }
    }
}

extension EventID {
    /// Whether this id stands before another in the order of their bytes, which for UUIDv7 is the order of time.
    func precedes(_ other: EventID) -> Bool { uuid < other.uuid }
}

/// The heads of the streams that were appended to lately, in bounded memory.
///
/// Two generations: when the younger is full, the older is forgotten and the younger takes its place. A stream that is
/// used moves to the younger one.
struct StreamHeads {
    private var young: [StreamID: StreamHead] = [:]
    private var old: [StreamID: StreamHead] = [:]
    private var youngEvents = 0
    private let limit: Int

    /// - Parameter limit: How many events a generation may hold, 24 bytes each.
    init(limit: Int = 250_000) { self.limit = limit }

    /// The head of a stream, if it is known.
    subscript(stream: StreamID) -> StreamHead? { young[stream] ?? old[stream] }

    /// Adds events to a stream's head, which becomes known if it was not.
    mutating func extend(_ stream: StreamID, by events: some Sequence<(id: EventID, position: Int64)>) {
        var head = young.removeValue(forKey: stream)
        if head == nil {
            head = old.removeValue(forKey: stream) ?? StreamHead()
            youngEvents += head?.version ?? 0
        }
        var extended = head ?? StreamHead()
        let before = extended.version
        for event in events { extended.append(event.id, position: event.position) }
        youngEvents += extended.version - before
        young[stream] = extended
        if youngEvents > limit || young.count > limit { ageAll() }
    }

    /// Forgets everything: what was known may be wrong after a lost connection.
    mutating func removeAll() {
        young = [:]
        old = [:]
        youngEvents = 0
    }

    private mutating func ageAll() {
        old = young
        young = [:]
        youngEvents = 0
    }
}
