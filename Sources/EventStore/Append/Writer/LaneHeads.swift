internal import EventModel

/// The heads of a lane's recently used streams, in bounded memory.
///
/// There are two generations: when the younger is full, the older is forgotten and the younger takes its place. A
/// stream that is looked up moves to the younger one. Only ``trim()`` forgets anything, so a head's slot stays valid,
/// and the heads on which a group was decided stay until it is stored.
struct LaneHeads: Sendable {
    private var young = Generation()
    private var old = Generation()
    private let limit: Int

    private struct Generation {
        var slots: [StreamID: Int] = [:]
        var heads: [StreamHead] = []
        var events = 0
    }

    /// - Parameter limit: How many events, and how many streams, a generation may hold; each event takes 24 bytes.
    init(limit: Int = 250_000) { self.limit = limit }

    /// The slot of a stream's head, if it is known; valid until ``trim()``.
    mutating func slot(of stream: StreamID) -> Int? {
        if let slot = young.slots[stream] { return slot }
        guard let slot = old.slots.removeValue(forKey: stream) else { return nil }
        let head = old.heads[slot]
        old.heads[slot] = StreamHead()
        return add(head, of: stream)
    }

    /// Adds a stream as empty, if it is not known.
    ///
    /// - Returns: The slot of its head.
    @discardableResult
    mutating func open(_ stream: StreamID) -> Int { slot(of: stream) ?? add(StreamHead(), of: stream) }

    private mutating func add(_ head: StreamHead, of stream: StreamID) -> Int {
        young.slots[stream] = young.heads.count
        young.heads.append(head)
        young.events += head.ids.count
        return young.heads.count - 1
    }

    /// The head in a slot that ``slot(of:)`` gave.
    subscript(slot: Int) -> StreamHead {
        _read { yield young.heads[slot] }
        _modify {
            let before = young.heads[slot].ids.count
            yield &young.heads[slot]
            young.events += young.heads[slot].ids.count - before
        }
    }

    /// Forgets everything: after a lost connection it may be wrong.
    mutating func removeAll() { (young, old) = (Generation(), Generation()) }

    /// Whether there are too many streams, or events.
    var areTooMany: Bool { young.events > limit || young.heads.count > limit }

    /// Forgets the least recently used streams, if there are too many.
    mutating func trim() {
        guard areTooMany else { return }
        (old, young) = (young, Generation())
    }
}
