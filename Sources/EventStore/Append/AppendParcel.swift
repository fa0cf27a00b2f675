internal import EventModel
internal import PayloadCodec

/// Appends that a producer hands over together.
///
/// Their payloads are encoded frames, side by side in one buffer, so the writer only copies bytes, and a hundred
/// appends take three allocations.
final class AppendParcel: Sendable {
    /// One event.
    struct Event: Sendable {
        let id: EventID
        let type: EventType
        let occurredAt: Timestamp
        let encoding: PayloadEncoding
        /// Where the event's frame lies in ``AppendParcel/frames``.
        let frame: Range<Int>
        /// The user that a starting session is about.
        let subject: StreamID?
    }

    /// The events of one append that go to one stream.
    struct Part: Sendable {
        let stream: StreamID
        let expectedVersion: ExpectedVersion
        /// Where its events lie in ``AppendParcel/events``; at least one.
        let events: Range<Int>
        /// The append's place among those that ``AppendParcel/outcomes`` waits for.
        let place: Int
        /// The id of the key that something in it is sealed under, one of ``AppendParcel/keys``; `nil` if nothing is.
        let key: Int64?
    }

    let frames: [UInt8]
    let events: [Event]
    let parts: [Part]
    /// What the frames were made with.
    let packing: AppendPacking
    /// The keys that something in the frames is sealed under.
    let keys: [SealingKey]
    /// Whether the parts are one append to several streams, all or nothing; otherwise each is an append of its own.
    let isOneAppend: Bool
    /// About how much memory the parcel holds: what was reserved for it in the queue.
    let size: Int
    /// Receives each part's result, once.
    let outcomes: AppendOutcomes
    /// Also receives the results, if parts are sealed and some name the user their stream is about; `named` holds those
    /// streams by place.
    private let sealer: SubjectSealer?
    private let named: [Int: StreamID]

    /// - Parameters:
    ///   - contents: The appends, at least one.
    ///   - isOneAppend: Whether the parts are one append to several streams.
    ///   - size: How many bytes were reserved for it.
    ///   - outcomes: Receives the results.
    ///   - sealer: What gave the keys, if there are any.
    init(
        _ contents: consuming AppendParcelContents,
        isOneAppend: Bool,
        size: Int,
        outcomes: AppendOutcomes,
        sealer: SubjectSealer? = nil
    ) {
        named = sealer == nil || contents.fields == nil ? [:] : contents.named
        self.sealer = named.isEmpty ? nil : sealer
        frames = contents.frames
        events = contents.events
        parts = contents.parts
        packing = contents.packing
        keys = contents.keys
        self.isOneAppend = isOneAppend
        self.size = size
        self.outcomes = outcomes
    }

    /// The parcel's appends, one by one.
    var requests: [AppendRequest] {
        isOneAppend
            ? [AppendRequest(parcel: self, parts: parts.indices)]
            : parts.indices.map { AppendRequest(parcel: self, parts: $0..<$0 + 1) }
    }

    /// Reports how some appends ended, each by its place.
    func settle(_ results: [(place: Int, result: AppendResult)]) {
        sealer?.learn(from: results, naming: named)
        outcomes.settle(results)
    }

    /// Reports that all appends ended with the same error.
    func settle(_ error: any Error) { settle(parts.map { ($0.place, .failure(error)) }) }
}
