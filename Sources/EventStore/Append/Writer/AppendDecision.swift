internal import EventModel

/// What is to be done with an append, given the heads of its streams. Pure: nothing here reads or writes.
enum AppendDecision {
    /// Store it, after what the streams hold.
    case store
    /// It is stored already.
    case stored([AppendReceipt])
    /// It must not be stored.
    case refuse(EventStoreError)
    /// It depends on what is being stored right now: decide again when that is done.
    case later
    /// These streams must be read first: they are unknown, or what is known of them may be out of date.
    case read([StreamID])

    /// Decides about an append, which may go to several streams.
    ///
    /// The producer is told only what is certain: a refusal needs a head that was just read and has no pending append
    /// that may still fail.
    ///
    /// - Parameters:
    ///   - request: The append.
    ///   - heads: What is known of the streams, and what the same group is about to store in them.
    ///   - isFresh: Whether a stream's head was just read, so that a refusal can rest on it.
    init(_ request: AppendRequest, heads: inout StreamHeads, isFresh: (StreamID) -> Bool) {
        let parts = request.parts
        var receipts: [AppendReceipt] = []
        var toRead: [StreamID] = []
        var refusal: EventStoreError?
        var mustWait = false
        for part in parts {
            guard let slot = heads.slot(of: part.stream) else {
                toRead.append(part.stream)
                continue
            }
            switch Self.decide(part, request.events(of: part), head: heads[slot]) {
            case .store: continue
            case .stored(let receipt): receipts.append(receipt)
            case .later: mustWait = true
            case .refuse(let error):
                refusal = refusal ?? error
                if !isFresh(part.stream) { toRead.append(part.stream) }
            }
        }
        if refusal == nil, let stored = receipts.first, receipts.count < parts.count {
            self = Self.partlyStored(parts, stored, mustWait: mustWait, heads: &heads, isFresh: isFresh)
        } else if mustWait {
            self = .later
        } else if !toRead.isEmpty {
            self = .read(toRead)
        } else if let refusal {
            self = .refuse(refusal)
        } else if receipts.count == parts.count {
            self = .stored(receipts)
        } else {
            self = .store
        }
    }

    /// Decides about an append that one of its streams has stored already and another has not: all or nothing.
    private static func partlyStored(
        _ parts: ArraySlice<AppendParcel.Part>,
        _ stored: AppendReceipt,
        mustWait: Bool,
        heads: inout StreamHeads,
        isFresh: (StreamID) -> Bool
    ) -> AppendDecision {
        let slots = parts.map { heads.slot(of: $0.stream) }
        let refusal = EventStoreError.partlyStored(
            stored.stream,
            expected: parts.first { $0.stream == stored.stream }?.expectedVersion ?? .any,
            found: heads.slot(of: stored.stream).map { heads[$0].version } ?? stored.versions.upperBound
        )
        guard !mustWait, !slots.contains(where: { $0.map { heads[$0].pendingCount > 0 } ?? false }) else {
            return .later
        }
        let toRead = zip(parts, slots).filter { $1 == nil || !isFresh($0.stream) }.map(\.0.stream)
        return toRead.isEmpty ? .refuse(refusal) : .read(toRead)
    }

    /// What to do with the part of an append that goes to one stream.
    private enum Verdict {
        case store
        case stored(AppendReceipt)
        case refuse(EventStoreError)
        case later
    }

    private static func decide(
        _ part: AppendParcel.Part,
        _ events: ArraySlice<AppendParcel.Event>,
        head: borrowing StreamHead
    ) -> Verdict {
        var first: Int?
        var isConsecutive = true
        var found = 0
        for event in events {
            guard let version = head.version(of: event.id) else { continue }
            if version > head.version { return .later }
            if first == nil { first = version }
            if let first, version != first + found { isConsecutive = false }
            found += 1
        }
        let (stream, expected) = (part.stream, part.expectedVersion)
        guard let first else {
            let version = head.version + head.pendingCount
            if expected.allows(version: version) { return .store }
            // The pending events may yet fail, and then the stream's version is another.
            return head.pendingCount == 0 ? .refuse(.wrongVersion(stream, expected: expected, found: version)) : .later
        }
        guard isConsecutive, found == events.count else {
            return .refuse(.partlyStored(stream, expected: expected, found: head.version))
        }
        let positions = head.positions[(first - 1)..<(first - 1 + found)]
        return .stored(
            AppendReceipt(stream: stream, firstVersion: first, positions: positions, wasStoredBefore: true)
        )
    }
}
