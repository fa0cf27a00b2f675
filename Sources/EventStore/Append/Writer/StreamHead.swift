internal import EventModel

/// What is stored in one stream, as far as an append needs it: the events' ids and positions by version; and behind it
/// what is being stored right now.
///
/// Versions are dense, so version n lies at index n − 1, and a head that was read once stays right: others can only add
/// to the stream behind it.
struct StreamHead: Sendable {
    /// The ids of what is stored, and of what is being stored.
    private(set) var ids: [EventID] = []
    /// The positions of what is stored.
    private(set) var positions: [Int64] = []
    /// The highest id of each run of events and of all runs before it: a UUIDv7, which is younger than most, is looked
    /// for among the last events only.
    private var highest: [EventID] = []

    /// How many events a run has.
    private static let run = 64

    /// How many events the stream holds.
    var version: Int { positions.count }

    /// How many events are being stored behind them.
    var pendingCount: Int { ids.count - positions.count }

    /// Adds the next event that is stored; nothing may be pending.
    mutating func append(_ id: EventID, position: Int64) {
        precondition(pendingCount == 0, "what is pending comes first")
        appendPending(id)
        positions.append(position)
    }

    /// Adds the next event that is being stored.
    mutating func appendPending(_ id: EventID) {
        if ids.count.isMultiple(of: Self.run) {
            highest.append(highest.last.map { $0.uuid.precedes(id.uuid) ? id : $0 } ?? id)
        } else if highest[highest.count - 1].uuid.precedes(id.uuid) {
            highest[highest.count - 1] = id
        }
        ids.append(id)
    }

    /// Learns that what was pending is stored, and where.
    mutating func confirm(_ stored: some Sequence<Int64>) {
        positions.append(contentsOf: stored)
        precondition(pendingCount == 0, "each pending event has a position")
    }

    /// Forgets what was pending: it was not stored, or nobody knows.
    mutating func abandon() {
        guard pendingCount > 0 else { return }
        let stored = ids[..<positions.count]
        (ids, highest) = ([], [])
        for id in stored { appendPending(id) }
    }

    /// The version of an event that is stored or pending, or `nil` if it is not here.
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
