internal import EventModel

/// What one transaction of a group stores, and what becomes of the group's other appends.
///
/// Does not ask the database: what it will store is noted as pending in the stream heads until ``finish(_:heads:)`` or
/// ``abandon(heads:)``.
struct AppendRound {
    /// An event that is to be stored.
    struct Row {
        let stream: StreamID
        let version: Int
        let type: Int16
        let parcel: AppendParcel
        /// The event's index in the parcel's events.
        let event: Int
    }

    /// A part of an append that is to be stored.
    private struct Planned {
        let parcel: AppendParcel
        let part: AppendParcel.Part
        let firstVersion: Int
    }

    /// A stream to which something is to be stored.
    private struct Touched {
        let stream: StreamID
        let slot: Int
        /// How many of the rows belong to it.
        var rows = 0
    }

    /// The settled appends that need no storing, with their results.
    private(set) var settled: [AppendSettlement] = []
    /// The appends that are not settled, in order: both those being stored now and those that wait.
    private(set) var open: [AppendRequest] = []
    /// The appends that wait for the next round.
    private(set) var later: [AppendRequest] = []
    /// The streams that must be read before the next round.
    private(set) var stale: Set<StreamID> = []
    private var planned: [Planned] = []
    /// The rows in the order in which they were planned, each with the index of its stream in ``touched``.
    private var rows: [(row: Row, stream: Int)] = []
    private var touched: [Touched] = []
    /// The index in ``touched`` of a stream, by its slot.
    private var places: [Int: Int] = [:]
    /// The indices of the rows in the order in which they are stored.
    private var order: [Int] = []

    /// Decides about appends in order.
    ///
    /// An append that has to wait holds back later ones that share a stream with it.
    ///
    /// - Parameters:
    ///   - requests: The appends.
    ///   - heads: What is known of their streams; what is to be stored is added as pending.
    ///   - types: The ids of all event types in the appends.
    ///   - fresh: The streams whose heads were read for these appends.
    init(_ requests: [AppendRequest], heads: inout StreamHeads, types: EventTypes, fresh: Set<StreamID>) {
        var held: Set<StreamID> = []
        open.reserveCapacity(requests.count)
        planned.reserveCapacity(requests.count)
        rows.reserveCapacity(requests.count)
        for request in requests {
            let isHeld = !held.isEmpty && request.parts.contains { held.contains($0.stream) }
            let decision =
                isHeld ? .later : AppendDecision(request, heads: &heads, isFresh: fresh.contains)
            switch decision {
            case .stored(let receipts):
                for (part, receipt) in zip(request.parts, receipts) {
                    settled.add(part, of: request.parcel, .success(receipt))
                }
            case .refuse(let error): settled.add(request, failed: error)
            case .store:
                open.append(request)
                plan(request, heads: &heads, types: types)
            case .later, .read:
                if case .read(let streams) = decision { stale.formUnion(streams) }
                open.append(request)
                later.append(request)
                held.formUnion(request.parts.lazy.map(\.stream))
            }
        }
        sort()
    }

    private mutating func plan(_ request: AppendRequest, heads: inout StreamHeads, types: EventTypes) {
        let parcel = request.parcel
        for part in request.parts {
            let slot = heads.open(part.stream)
            let place = place(of: part.stream, slot)
            let firstVersion = heads[slot].ids.count + 1
            for index in part.events {
                let event = parcel.events[index]
                guard let type = types[event.type] else { preconditionFailure("types are interned before") }
                let version = firstVersion + index - part.events.lowerBound
                heads[slot].appendPending(event.id)
                rows.append(
                    (Row(stream: part.stream, version: version, type: type, parcel: parcel, event: index), place)
                )
            }
            touched[place].rows += part.events.count
            planned.append(Planned(parcel: parcel, part: part, firstVersion: firstVersion))
        }
    }

    private mutating func place(of stream: StreamID, _ slot: Int) -> Int {
        if let place = places[slot] { return place }
        places[slot] = touched.count
        touched.append(Touched(stream: stream, slot: slot))
        return touched.count - 1
    }

    /// Sorts the rows: by stream, so that two appenders meet at the first stream they share and cannot deadlock; then
    /// by version, so that positions, which are drawn row by row, follow versions.
    private mutating func sort() {
        let sorted = touched.indices.sorted { touched[$0].stream.uuid.precedes(touched[$1].stream.uuid) }
        var next = [Int](repeating: 0, count: touched.count)
        var sum = 0
        for place in sorted {
            next[place] = sum
            sum += touched[place].rows
        }
        order = [Int](repeating: 0, count: rows.count)
        for (index, row) in rows.enumerated() {
            order[next[row.stream]] = index
            next[row.stream] += 1
        }
        touched = sorted.map { touched[$0] }
    }

    /// How many events are to be stored.
    var count: Int { rows.count }

    /// The statement that stores them.
    var statement: InsertEvents { InsertEvents(order.lazy.map { rows[$0].row }, count: rows.count) }

    /// Records that everything was stored.
    ///
    /// - Parameters:
    ///   - stored: The positions that ``statement`` gave.
    ///   - heads: The stream heads to update.
    /// - Returns: The appends that were stored, each with its receipts.
    func finish(_ stored: [Int64], heads: inout StreamHeads) -> [AppendSettlement] {
        var positions = [Int64](repeating: 0, count: rows.count)
        for (place, position) in zip(order, stored) { positions[place] = position }
        var next = stored[...]
        for stream in touched {
            heads[stream.slot].confirm(next.prefix(stream.rows))
            next = next.dropFirst(stream.rows)
        }
        var settlements: [AppendSettlement] = []
        var first = 0
        for planned in planned {
            let end = first + planned.part.events.count
            let receipt = AppendReceipt(
                stream: planned.part.stream,
                firstVersion: planned.firstVersion,
                positions: positions[first..<end],
                wasStoredBefore: false
            )
            settlements.add(planned.part, of: planned.parcel, .success(receipt))
            first = end
        }
        return settlements
    }

    /// Records that nothing was stored, or that this is unknown.
    func abandon(heads: inout StreamHeads) {
        for stream in touched { heads[stream.slot].abandon() }
    }
}
