internal import EventModel
internal import PayloadCodec

/// Appends that a producer hands over together. Their payloads are frames already, side by side in one buffer, so that
/// the one who writes them only copies bytes, and a hundred appends are three allocations.
final class AppendParcel: Sendable {
    /// One event.
    struct Event: Sendable {
        let id: EventID
        let type: EventType
        let occurredAt: Timestamp
        let encoding: PayloadEncoding
        /// Where its frame lies in ``AppendParcel/frames``.
        let frame: Range<Int>
        /// The user whom a session that starts is about.
        let subject: StreamID?
    }

    /// The events of one append that go to one stream.
    struct Part: Sendable {
        let stream: StreamID
        let expectedVersion: ExpectedVersion
        /// Where they lie in ``AppendParcel/events``; at least one.
        let events: Range<Int>
        /// The append's place among those that ``AppendParcel/outcomes`` waits for.
        let place: Int
    }

    let frames: [UInt8]
    let events: [Event]
    let parts: [Part]
    /// Whether the parts are one append to several streams, all or nothing; otherwise each is an append of its own.
    let isOneAppend: Bool
    /// About how much memory it holds: what was reserved for it in the queue.
    let size: Int
    /// Told once for each part how it ended.
    let outcomes: AppendOutcomes
    /// Told as well, if parts are sealed and some say whom their streams are about: those, by their places.
    private let sealer: SubjectSealer?
    private let named: [Int: StreamID]

    /// - Parameters:
    ///   - contents: The appends, at least one.
    ///   - isOneAppend: Whether its parts are one append to several streams.
    ///   - size: What was reserved for it.
    ///   - outcomes: Who waits.
    ///   - sealer: Who gave the keys, if they have any.
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
        self.isOneAppend = isOneAppend
        self.size = size
        self.outcomes = outcomes
    }

    /// The appends one by one.
    var requests: [AppendRequest] {
        isOneAppend
            ? [AppendRequest(parcel: self, parts: parts.indices)]
            : parts.indices.map { AppendRequest(parcel: self, parts: $0..<$0 + 1) }
    }

    /// Tells how some appends ended, each at its place.
    func settle(_ results: [(place: Int, result: AppendResult)]) {
        sealer?.learn(from: results, naming: named)
        outcomes.settle(results)
    }

    /// Tells how all appends ended, if they ended alike.
    func settle(_ error: any Error) { settle(parts.map { ($0.place, .failure(error)) }) }
}
