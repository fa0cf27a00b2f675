internal import EventModel

/// What is stored in one stream, as far as an append needs it: the events' ids and positions by version.
///
/// Versions are dense, so version n lies at index n − 1, and a head that was read once stays right: others can only add
/// to the stream behind it.
struct StreamHead: Sendable {
    private(set) var ids: [EventID] = []
    private(set) var positions: [Int64] = []
    /// The highest id of each run of events and of all runs before it: a UUIDv7, which is younger than most, is looked
    /// for among the last events only.
    private var highest: [EventID] = []

    /// How many events a run has.
    private static let run = 64

    /// How many events the stream holds.
    var version: Int { ids.count }

    /// Adds the next event.
    mutating func append(_ id: EventID, position: Int64) {
        if ids.count.isMultiple(of: Self.run) {
            highest.append(highest.last.map { $0.uuid.precedes(id.uuid) ? id : $0 } ?? id)
        } else if highest[highest.count - 1].uuid.precedes(id.uuid) {
            highest[highest.count - 1] = id
        }
        ids.append(id)
        positions.append(position)
    }

    /// The version of an event, or `nil` if it is not here.
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
