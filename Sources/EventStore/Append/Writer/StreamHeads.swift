internal import EventModel

/// The stream heads that a writer knows: those of the lanes that it has right now.
///
/// A lane's heads move with the lane from writer to writer. An append to several streams may name a stream whose lane
/// another writer has; a copy of that stream's head is kept with the writer's own lane. The copy may fall behind; the
/// events' key then detects it.
struct StreamHeads: Sendable {
    private var lanes: [LaneHeads]
    private var held: [Bool]
    private let home: Int
    /// The queue's generation when its lanes were taken.
    private(set) var generation = 0

    /// - Parameters:
    ///   - lanes: How many lanes there are; the writer has none of them yet.
    ///   - home: The number of the writer's own lane.
    init(lanes: Int, home: Int) {
        self.lanes = Array(repeating: LaneHeads(limit: 0), count: lanes)
        held = Array(repeating: false, count: lanes)
        self.home = home
    }

    /// The heads of a single lane.
    init(_ heads: LaneHeads) { (lanes, held, home) = ([heads], [true], 0) }

    /// Takes over a lane.
    mutating func hold(_ heads: LaneHeads, of lane: Int, generation: Int) {
        (lanes[lane], held[lane]) = (heads, true)
        self.generation = generation
    }

    /// Gives up a lane.
    ///
    /// - Returns: Its heads, or `nil` if the writer does not have it.
    mutating func giveBack(_ lane: Int) -> LaneHeads? {
        guard held[lane] else { return nil }
        defer { (lanes[lane], held[lane]) = (LaneHeads(limit: 0), false) }
        return lanes[lane]
    }

    /// Whether the writer has a lane.
    func isHeld(_ lane: Int) -> Bool { held[lane] }

    /// Whether the writer has all lanes, so that nobody else stores anything.
    var areAll: Bool { held.allSatisfy(\.self) }

    private func lane(of stream: StreamID) -> Int {
        let lane = AppendLane.number(of: stream, among: lanes.count)
        return held[lane] ? lane : home
    }

    private func slot(_ place: Int, in lane: Int) -> Int { place * lanes.count + lane }

    /// The slot of a stream's head, if it is known; valid until ``trim()``.
    mutating func slot(of stream: StreamID) -> Int? {
        let lane = lane(of: stream)
        let place = lanes[lane].slot(of: stream)
        return place.map { slot($0, in: lane) }
    }

    /// Adds a stream as empty, if it is not known.
    ///
    /// - Returns: The slot of its head.
    @discardableResult
    mutating func open(_ stream: StreamID) -> Int {
        let lane = lane(of: stream)
        // A line of its own: as an argument of a method of `self`, it would change a copy of all heads.
        let place = lanes[lane].open(stream)
        return slot(place, in: lane)
    }

    /// The head in a slot that ``slot(of:)`` gave.
    subscript(slot: Int) -> StreamHead {
        _read { yield lanes[slot % lanes.count][slot / lanes.count] }
        _modify { yield &lanes[slot % lanes.count][slot / lanes.count] }
    }

    /// Forgets the heads of all lanes that the writer has: after a lost connection they may be wrong.
    mutating func removeAll() {
        for lane in lanes.indices { lanes[lane].removeAll() }
    }

    /// Whether there are too many streams, or events.
    var areTooMany: Bool { lanes.contains(where: \.areTooMany) }

    /// Forgets the least recently used streams, if there are too many.
    mutating func trim() {
        for lane in lanes.indices { lanes[lane].trim() }
    }
}
