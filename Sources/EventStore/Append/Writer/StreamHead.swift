internal import EventModel

/// What an append needs to know of a stream: the ids and positions of its stored events, and after them the ids of the
/// events that are being stored right now.
///
/// Versions are dense, so version n lies at index n − 1, and a head that was read once stays right: others can only add
/// events after it.
struct StreamHead: Sendable {
    /// The ids of the stored events, then of those being stored.
    private(set) var ids: [EventID] = []
    /// The positions of the stored events.
    private(set) var positions: [Int64] = []
    /// The highest id of each run of events and all runs before it. A UUIDv7 is younger than most of the stored ones,
    /// so it is looked for only among the last events.
    private var highest: [EventID] = []

    /// How many events a run has.
    private static let run = 64

    /// How many events the stream holds.
    var version: Int { positions.count }

    /// How many events are being stored after those.
    var pendingCount: Int { ids.count - positions.count }

    /// Adds the next stored event; nothing may be pending.
    mutating func append(_ id: EventID, position: Int64) {
        precondition(pendingCount == 0, "what is pending comes first")
        appendPending(id)
        positions.append(position)
    }

    /// Adds the next event that is being stored, as pending.
    mutating func appendPending(_ id: EventID) {
        if ids.count.isMultiple(of: Self.run) {
            highest.append(highest.last.map { $0.uuid.precedes(id.uuid) ? id : $0 } ?? id)
        } else if highest[highest.count - 1].uuid.precedes(id.uuid) {
            highest[highest.count - 1] = id
        }
        ids.append(id)
    }

    /// Records that the first pending events were stored, at these positions.
    mutating func confirm(_ stored: some Sequence<Int64>) {
        positions.append(contentsOf: stored)
        precondition(pendingCount >= 0, "only what was pending has a position")
    }

    /// Forgets the pending events: they were not stored, or that is unknown.
    mutating func abandon() {
        guard pendingCount > 0 else { return }
        let stored = ids[..<positions.count]
        (ids, highest) = ([], [])
        for id in stored { appendPending(id) }
    }

    /// The version of a stored or pending event, or `nil` if the stream does not hold it.
    func version(of id: EventID) -> Int? {
        for run in highest.indices.reversed() {
            if highest[run].uuid.precedes(id.uuid) { return nil }
            let start = run * Self.run
            let end = min(start + Self.run, ids.count)
            if let index = ids[start..<end].lastIndex(of: id) { return index + 1 }
        }
        return nil
    }
}
