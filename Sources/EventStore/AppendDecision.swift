internal import EventModel

/// What is to be done with an append, given the heads of its streams. Pure: nothing here reads or writes.
enum AppendDecision {
    /// Store it, behind what the streams hold.
    case store
    /// It is stored already.
    case stored([AppendReceipt])
    /// It must not be stored.
    case refuse(EventStoreError)
    /// It depends on what is being stored right now: decide again when that is done.
    case later
    /// These streams must be read first: they are unknown, or what is known may be out of date.
    case read([StreamID])

    /// Decides about an append, which may go to several streams.
    ///
    /// Only what is certain is said to the producer: a refusal rests on a head that was read just now and on which no
    /// append is under way that may still fail.
    ///
    /// - Parameters:
    ///   - appends: Its parts, each to another stream.
    ///   - heads: What is known of the streams.
    ///   - pending: What the same group is about to store, by stream.
    ///   - isFresh: Whether a stream's head was read just now, so that a refusal can rest on it.
    init(
        _ appends: [EncodedAppend],
        heads: StreamHeads,
        pending: [StreamID: AppendRound.Pending],
        isFresh: (StreamID) -> Bool
    ) {
        var receipts: [AppendReceipt] = []
        var toRead: [StreamID] = []
        var refusal: EventStoreError?
        var mustWait = false
        for append in appends {
            guard let head = heads[append.stream] else {
                toRead.append(append.stream)
                continue
            }
            switch Self.decide(append, head: head, pending: pending[append.stream]) {
            case .store: continue
            case .stored(let receipt): receipts.append(receipt)
            case .later: mustWait = true
            case .refuse(let error):
                refusal = refusal ?? error
                if !isFresh(append.stream) { toRead.append(append.stream) }
            }
        }
        if refusal == nil, let stored = receipts.first, receipts.count < appends.count {
            // All or nothing: one stream has its part already, another does not.
            refusal = .partlyStored(
                stored.stream,
                expected: appends.first { $0.stream == stored.stream }?.expectedVersion ?? .any,
                found: heads[stored.stream]?.version ?? stored.versions.upperBound
            )
            toRead = appends.map(\.stream).filter { heads[$0] == nil || !isFresh($0) }
            mustWait = mustWait || appends.contains { pending[$0.stream] != nil }
        }
        if mustWait {
            self = .later
        } else if !toRead.isEmpty {
            self = .read(toRead)
        } else if let refusal {
            self = .refuse(refusal)
        } else if receipts.count == appends.count {
            self = .stored(receipts)
        } else {
            self = .store
        }
    }

    private enum Part {
        case store
        case stored(AppendReceipt)
        case refuse(EventStoreError)
        case later
    }

    private static func decide(_ append: EncodedAppend, head: StreamHead, pending: AppendRound.Pending?) -> Part {
        if let pending, append.events.contains(where: { pending.contains($0.id) }) { return .later }
        let versions = append.events.compactMap { head.version(of: $0.id) }
        let (stream, expected) = (append.stream, append.expectedVersion)
        guard let first = versions.first else {
            let found = head.version + (pending?.count ?? 0)
            if expected.allows(version: found) { return .store }
            // What is pending may yet fail, and then the stream is another one.
            return pending == nil ? .refuse(.wrongVersion(stream, expected: expected, found: found)) : .later
        }
        let asBefore = first..<(first + append.events.count)
        guard versions.elementsEqual(asBefore) else {
            return .refuse(.partlyStored(stream, expected: expected, found: head.version))
        }
        let positions = asBefore.map { head.positions[$0 - 1] }
        return .stored(
            AppendReceipt(stream: stream, firstVersion: first, positions: positions, wasStoredBefore: true)
        )
    }
}
