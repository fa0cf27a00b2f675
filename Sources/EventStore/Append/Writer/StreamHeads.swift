internal import EventModel

/// The heads of streams that a writer knows: those of the lanes that it has right now.
///
/// A lane's heads go with the lane from writer to writer. Of the streams of a lane that another writer has,
/// which only an append to several streams names, a copy is kept with the writer's own lane; it may fall
/// behind, and then the events' key says so.
struct StreamHeads: Sendable {
    private var lanes: [LaneHeads]
    private var isHeld: [Bool]
    private let home: Int
    /// Which generation of the queue's the lanes are of that it has.
    private(set) var generation = 0

    /// - Parameters:
    ///   - lanes: How many lanes there are; the writer has none of them yet.
    ///   - home: Which lane is the writer's own.
    init(lanes: Int, home: Int) {
        self.lanes = Array(repeating: LaneHeads(limit: 0), count: lanes)
        isHeld = Array(repeating: false, count: lanes)
        self.home = home
    }

    /// The heads of the only lane.
    init(_ heads: LaneHeads) { (lanes, isHeld, home) = ([heads], [true], 0) }

    /// Takes a lane over.
    mutating func hold(_ heads: LaneHeads, of lane: Int, generation: Int) {
        (lanes[lane], isHeld[lane]) = (heads, true)
        self.generation = generation
    }

    /// Gives a lane away.
    ///
    /// - Returns: Its heads, or `nil` if the writer does not have it.
    mutating func giveBack(_ lane: Int) -> LaneHeads? {
        guard isHeld[lane] else { return nil }
        defer { (lanes[lane], isHeld[lane]) = (LaneHeads(limit: 0), false) }
        return lanes[lane]
    }

    private func lane(of stream: StreamID) -> Int {
        let lane = AppendLane.number(of: stream, among: lanes.count)
        return isHeld[lane] ? lane : home
    }

    private func slot(_ place: Int, in lane: Int) -> Int { place * lanes.count + lane }

    /// Where the head of a stream is, if it is known; right until ``trim()``.
    mutating func slot(of stream: StreamID) -> Int? {
        let lane = lane(of: stream)
        let place = lanes[lane].slot(of: stream)
        return place.map { slot($0, in: lane) }
    }

    /// Makes a stream known as empty, if it is not known.
    ///
    /// - Returns: Where its head is.
    @discardableResult
    mutating func open(_ stream: StreamID) -> Int {
        let lane = lane(of: stream)
        // A line of its own: as an argument of a method of `self`, it would change a copy of all heads.
        let place = lanes[lane].open(stream)
        return slot(place, in: lane)
    }

    /// The head at a place that ``slot(of:)`` gave.
    subscript(slot: Int) -> StreamHead {
        _read { yield lanes[slot % lanes.count][slot / lanes.count] }
        _modify { yield &lanes[slot % lanes.count][slot / lanes.count] }
    }

    /// Forgets everything of the lanes that the writer has: what was known may be wrong after a lost connection.
    mutating func removeAll() {
        for lane in lanes.indices { lanes[lane].removeAll() }
    }

    /// Forgets the streams that were not appended to for longest, if there are too many.
    mutating func trim() {
        for lane in lanes.indices { lanes[lane].trim() }
    }
}
