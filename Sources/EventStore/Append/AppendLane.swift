internal import EventModel

/// A first-in, first-out queue of appends to some of the streams, with the heads of those streams.
///
/// Only one writer has a lane at a time, so appends to one stream are stored in order.
struct AppendLane {
    private struct Queued {
        let id: UInt64
        let parcel: AppendParcel
    }

    private var queued: [Queued] = []
    /// The index of the lane's first parcel in `queued`; those before it were taken and await removal.
    private var first = 0
    /// How many events are queued.
    private(set) var events = 0
    /// How many events a writer took last time.
    private(set) var lastTaken = 0
    /// The heads of the lane's streams; `nil` while a writer has the lane.
    var heads: LaneHeads?
    /// How often appends failed because the server was away: everything that was queued, when a writer gave up; or one
    /// whose key was not to be had.
    var outages = 0
    /// The lane's own writer, while it waits for something to write.
    var writer: CheckedContinuation<Void, Never>?

    init(_ heads: LaneHeads) { self.heads = heads }

    /// The number of a stream's lane, given how many lanes there are.
    static func number(of stream: StreamID, among lanes: Int) -> Int { Int(stream.uuid.low % UInt64(lanes)) }

    /// Whether no writer has the lane.
    var isFree: Bool { heads != nil }

    /// Whether a waiting writer should look: there is something to write, or nothing more will come.
    func isReady(whenClosed isClosed: Bool) -> Bool { isFree && (!isEmpty || isClosed) }

    /// How many parcels are queued.
    var count: Int { queued.count - first }

    var isEmpty: Bool { count == 0 }

    /// Adds a parcel at the end.
    mutating func put(_ parcel: AppendParcel, id: UInt64) {
        queued.append(Queued(id: id, parcel: parcel))
        events += parcel.events.count
    }

    /// Takes the first parcels, up to about `limit` events; at least one parcel, if there is any.
    mutating func take(upTo limit: Int) -> [AppendParcel] {
        var taken: [AppendParcel] = []
        var count = 0
        while first < queued.count {
            let parcel = queued[first].parcel
            guard taken.isEmpty || count + parcel.events.count <= limit else { break }
            taken.append(parcel)
            count += parcel.events.count
            first += 1
        }
        events -= count
        lastTaken = count
        // Removes taken parcels only once they are half of the array: moving the rest then costs no more than taking
        // did.
        if first * 2 >= queued.count {
            queued.removeFirst(first)
            first = 0
        }
        return taken
    }

    /// Takes all parcels, because they fail together.
    mutating func takeFailed() -> [AppendParcel] {
        outages += 1
        return take(upTo: .max)
    }

    /// Removes a parcel, if it is still queued.
    mutating func remove(_ id: UInt64) -> AppendParcel? {
        guard let index = queued[first...].firstIndex(where: { $0.id == id }) else { return nil }
        let parcel = queued.remove(at: index).parcel
        events -= parcel.events.count
        return parcel
    }
}
