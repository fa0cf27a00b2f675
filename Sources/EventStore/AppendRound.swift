internal import EventModel

/// What one transaction of a group stores, and what becomes of the group's other appends. Pure: nothing here reads or
/// writes.
struct AppendRound {
    /// An append that is to be stored, with the version of the first event of each of its parts.
    private struct Planned {
        let request: AppendRequest
        let firstVersions: [Int]
    }

    private struct Row {
        let stream: StreamID
        let version: Int
        let type: Int16
        let event: EncodedAppend.Event
    }

    /// What the round is about to store in one stream, in the order of versions.
    struct Pending {
        private var ids: [EventID] = []
        /// The highest id; most are higher than all before them.
        private var highest: EventID?
        /// The events' places among the round's rows.
        fileprivate private(set) var rows: [Int] = []
        private let version: Int

        /// - Parameter version: How many events the stream holds.
        init(behind version: Int) { self.version = version }

        /// How many events are pending.
        var count: Int { ids.count }

        /// The version that the next event gets.
        var nextVersion: Int { version + ids.count + 1 }

        /// Whether an event is pending.
        func contains(_ id: EventID) -> Bool {
            guard let highest, !highest.uuid.precedes(id.uuid) else { return false }
            return ids.contains(id)
        }

        /// Adds an event.
        ///
        /// - Parameter row: Its place among the round's rows.
        mutating func append(_ id: EventID, row: Int) {
            ids.append(id)
            rows.append(row)
            if highest.map({ $0.uuid.precedes(id.uuid) }) ?? true { highest = id }
        }
    }

    /// The appends that need no storing, and how they ended.
    private(set) var settled: [AppendSettlement] = []
    /// The appends that are not settled, in their order: those that are stored now, and those that wait.
    private(set) var open: [AppendRequest] = []
    /// The appends that wait for the next round.
    private(set) var later: [AppendRequest] = []
    /// The streams that must be read before the next round.
    private(set) var stale: Set<StreamID> = []
    private var planned: [Planned] = []
    private var rows: [Row] = []
    /// The rows' places in the order in which they are stored.
    private var order: [Int] = []

    /// Decides about appends in their order.
    ///
    /// An append that has to wait holds back those behind it that go to one of its streams.
    ///
    /// - Parameters:
    ///   - requests: The appends.
    ///   - heads: What is known of their streams.
    ///   - types: The ids of all their types.
    ///   - fresh: The streams whose heads were read for these appends.
    init(_ requests: [AppendRequest], heads: StreamHeads, types: EventTypes, fresh: Set<StreamID>) {
        var pending: [StreamID: Pending] = [:]
        var held: Set<StreamID> = []
        for request in requests {
            let isHeld = !held.isEmpty && request.appends.contains { held.contains($0.stream) }
            let decision =
                isHeld
                ? .later : AppendDecision(request.appends, heads: heads, pending: pending, isFresh: fresh.contains)
            switch decision {
            case .stored(let receipts): settled.append(AppendSettlement(request: request, result: .success(receipts)))
            case .refuse(let error): settled.append(AppendSettlement(request: request, result: .failure(error)))
            case .store:
                open.append(request)
                plan(request, heads: heads, types: types, pending: &pending)
            case .later, .read:
                if case .read(let streams) = decision { stale.formUnion(streams) }
                open.append(request)
                later.append(request)
                held.formUnion(request.appends.lazy.map(\.stream))
            }
        }
        // By stream, so that two appenders meet at the first stream that they share and not in a ring; by version, so that
        // positions, which are drawn row by row, follow versions.
        order.reserveCapacity(rows.count)
        for stream in pending.keys.sorted(by: { $0.uuid.precedes($1.uuid) }) { order += pending[stream]?.rows ?? [] }
    }

    private mutating func plan(
        _ request: AppendRequest,
        heads: StreamHeads,
        types: EventTypes,
        pending: inout [StreamID: Pending]
    ) {
        var firstVersions: [Int] = []
        firstVersions.reserveCapacity(request.appends.count)
        for append in request.appends {
            var events = pending[append.stream] ?? Pending(behind: heads[append.stream]?.version ?? 0)
            firstVersions.append(events.nextVersion)
            for event in append.events {
                guard let type = types[event.type] else { preconditionFailure("types are interned before") }
                let version = events.nextVersion
                events.append(event.id, row: rows.count)
                rows.append(Row(stream: append.stream, version: version, type: type, event: event))
            }
            pending[append.stream] = events
        }
        planned.append(Planned(request: request, firstVersions: firstVersions))
    }

    /// How many events are to be stored.
    var count: Int { rows.count }

    /// The statement that stores them.
    var statement: InsertEvents {
        var statement = InsertEvents(capacity: rows.count)
        for place in order {
            let row = rows[place]
            statement.append(row.event, type: row.type, stream: row.stream, version: row.version)
        }
        return statement
    }

    /// Learns that everything was stored.
    ///
    /// - Parameters:
    ///   - stored: The positions that ``statement`` gave.
    ///   - heads: Gets the events.
    /// - Returns: The appends that were stored, each with its receipts.
    func finish(_ stored: [Int64], heads: inout StreamHeads) -> [AppendSettlement] {
        var positions = [Int64](repeating: 0, count: rows.count)
        for (place, position) in zip(order, stored) { positions[place] = position }
        var next = positions[...]
        return planned.map { planned in
            let receipts = zip(planned.request.appends, planned.firstVersions).map { append, firstVersion in
                let mine = Array(next.prefix(append.events.count))
                next = next.dropFirst(append.events.count)
                heads.extend(append.stream, by: zip(append.events, mine).lazy.map { ($0.id, $1) })
                return AppendReceipt(
                    stream: append.stream,
                    firstVersion: firstVersion,
                    positions: mine,
                    wasStoredBefore: false
                )
            }
            return AppendSettlement(request: planned.request, result: .success(receipts))
        }
    }
}
