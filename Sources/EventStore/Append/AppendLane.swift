internal import EventModel

/// Appends to some of the streams, first in, first out, and what is known of those streams.
///
/// One writer has a lane at a time, so that appends to one stream are stored in their order.
struct AppendLane {
    private struct Queued {
        let id: UInt64
        let parcel: AppendParcel
    }

    private var queued: [Queued] = []
    /// Where the lane's first parcel lies in `queued`; those before it were taken, and are held until they are removed.
    private var first = 0
    /// How many events are queued.
    private(set) var events = 0
    /// How many events a writer took when it looked last.
    private(set) var lastTaken = 0
    /// The heads of its streams; `nil` while a writer has the lane.
    var heads: LaneHeads?
    /// The lane's own writer, while it waits for something to write.
    var writer: CheckedContinuation<Void, Never>?

    init(_ heads: LaneHeads) { self.heads = heads }

    /// The lane of a stream, among so many.
    static func number(of stream: StreamID, among lanes: Int) -> Int { Int(stream.uuid.low % UInt64(lanes)) }

    /// Whether no writer has it.
    var isFree: Bool { heads != nil }

    /// Whether a writer that waits should look: something can be written, or nothing will come any more.
    func isReady(whenClosed isClosed: Bool) -> Bool { isFree && (!isEmpty || isClosed) }

    /// How many parcels are queued.
    var count: Int { queued.count - first }

    var isEmpty: Bool { count == 0 }

    /// Puts a parcel at the end.
    mutating func put(_ parcel: AppendParcel, id: UInt64) {
        queued.append(Queued(id: id, parcel: parcel))
        events += parcel.events.count
    }

    /// Takes the first parcels, up to about so many events; at least one parcel, if there is any.
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
        // What was taken is let go once it is half of the array, so that moving the rest costs no more than taking did.
        if first * 2 >= queued.count {
            queued.removeFirst(first)
            first = 0
        }
        return taken
    }

    /// Takes a parcel out, if it is still here.
    mutating func remove(_ id: UInt64) -> AppendParcel? {
        guard let index = queued[first...].firstIndex(where: { $0.id == id }) else { return nil }
        let parcel = queued.remove(at: index).parcel
        events -= parcel.events.count
        return parcel
    }
}
