internal import EventModel

/// The heads of the streams of one lane that were appended to lately, in bounded memory.
///
/// Two generations: when the younger is full, the older is forgotten and the younger takes its place. A stream that is
/// looked for moves to the younger one. Nothing is forgotten but by ``trim()``, so that what a group was decided on
/// stays until the group is stored, and a head's slot says where it is.
struct LaneHeads: Sendable {
    private var young = Generation()
    private var old = Generation()
    private let limit: Int

    private struct Generation {
        var slots: [StreamID: Int] = [:]
        var heads: [StreamHead] = []
        var events = 0
    }

    /// - Parameter limit: How many events, and how many streams, a generation may hold; an event takes 24 bytes.
    init(limit: Int = 250_000) { self.limit = limit }

    /// Where the head of a stream is, if it is known; right until ``trim()``.
    mutating func slot(of stream: StreamID) -> Int? {
        if let slot = young.slots[stream] { return slot }
        guard let slot = old.slots.removeValue(forKey: stream) else { return nil }
        let head = old.heads[slot]
        old.heads[slot] = StreamHead()
        return add(head, of: stream)
    }

    /// Makes a stream known as empty, if it is not known.
    ///
    /// - Returns: Where its head is.
    @discardableResult
    mutating func open(_ stream: StreamID) -> Int { slot(of: stream) ?? add(StreamHead(), of: stream) }

    private mutating func add(_ head: StreamHead, of stream: StreamID) -> Int {
        young.slots[stream] = young.heads.count
        young.heads.append(head)
        young.events += head.ids.count
        return young.heads.count - 1
    }

    /// The head at a place that ``slot(of:)`` gave.
    subscript(slot: Int) -> StreamHead {
        _read { yield young.heads[slot] }
        _modify {
            let before = young.heads[slot].ids.count
            yield &young.heads[slot]
            young.events += young.heads[slot].ids.count - before
        }
    }

    /// Forgets everything: what was known may be wrong after a lost connection.
    mutating func removeAll() { (young, old) = (Generation(), Generation()) }

    /// Forgets the streams that were not appended to for longest, if there are too many.
    mutating func trim() {
        guard young.events > limit || young.heads.count > limit else { return }
        (old, young) = (young, Generation())
    }
}
