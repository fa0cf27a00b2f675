internal import EventModel
internal import PayloadCodec

/// Appends that a producer hands over together. Their payloads are frames already, side by side in one buffer, so that the
/// one who writes them only copies bytes, and a hundred appends are three allocations.
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

/// A parcel while it is packed.
struct AppendParcelContents {
    fileprivate(set) var frames: [UInt8] = []
    fileprivate(set) var events: [AppendParcel.Event] = []
    fileprivate(set) var parts: [AppendParcel.Part] = []
    private let encoder: PayloadEncoder
    fileprivate let fields: PersonalFields?
    /// What was last found to be personal.
    private var found = PersonalFields.Found()
    private let now = Timestamp.now()

    /// - Parameters:
    ///   - encoder: How payloads are compressed.
    ///   - fields: What is personal, if appends come with keys.
    ///   - size: About how many bytes come, by ``AppendRequest/size(of:)``.
    ///   - appends: How many appends come; of one event each, most often.
    init(encoder: PayloadEncoder, fields: PersonalFields? = nil, size: Int, appends: Int) {
        self.encoder = encoder
        self.fields = fields
        frames.reserveCapacity(size / 2)
        events.reserveCapacity(appends)
        parts.reserveCapacity(appends)
    }

    /// The streams of those that say whom they are about, by their places.
    fileprivate var named: [Int: StreamID] {
        var named: [Int: StreamID] = [:]
        for part in parts where events[part.events].contains(where: { $0.subject != nil }) {
            named[part.place] = part.stream
        }
        return named
    }

    /// Whether nothing was packed.
    var isEmpty: Bool { parts.isEmpty }

    /// Compresses an append's payloads; nothing of it stays if that fails.
    ///
    /// - Parameters:
    ///   - append: What goes to one stream.
    ///   - place: Its place among those that are waited for.
    ///   - key: Under which its personal fields are sealed; `nil` if it has none, or the log is not sealed.
    /// - Throws: ``EventStoreError`` with `.invalidAppend` if it has no event or one id twice.
    mutating func add(_ append: some StreamAppend, place: Int, key: SealingKey?) throws {
        try Self.check(append)
        let (first, start) = (events.count, frames.count)
        do {
            for event in append.events { try add(event, to: append.stream, key: key) }
        } catch {
            events.removeSubrange(first...)
            frames.removeSubrange(start...)
            throw error
        }
        parts.append(
            AppendParcel.Part(
                stream: append.stream,
                expectedVersion: append.expectedVersion,
                events: first..<events.count,
                place: place
            )
        )
    }

    private mutating func add(_ event: EventDraft, to stream: StreamID, key: SealingKey?) throws {
        let start = frames.count
        let encoding = try encode(event, in: stream, key)
        events.append(
            AppendParcel.Event(
                id: event.id,
                type: event.type,
                occurredAt: event.occurredAt ?? now,
                encoding: encoding,
                frame: start..<frames.count,
                subject: event.subject
            )
        )
    }

    private mutating func encode(
        _ event: EventDraft,
        in stream: StreamID,
        _ key: SealingKey?
    ) throws(PayloadCodecError) -> PayloadEncoding {
        let data = event.json.span.extracting(event.dataRange)
        let metadata = event.json.span.extracting(event.metadataRange)
        if let key, let fields {
            fields.find(in: event, &found)
            if !found.isEmpty {
                let seal = found.seal(of: event, in: stream, under: key)
                return try encoder.encode(data: data, metadata: metadata, sealing: seal, into: &frames)
            }
        }
        return try encoder.encode(data: data, metadata: metadata, of: event.id.uuid, into: &frames)
    }

    private static func check(_ append: some StreamAppend) throws {
        guard !append.events.isEmpty else {
            throw EventStoreError(.invalidAppend, "an append has at least one event", stream: append.stream)
        }
        guard append.events.count > 1 else { return }
        var ids: Set<EventID> = []
        for event in append.events where !ids.insert(event.id).inserted {
            throw EventStoreError(
                .invalidAppend,
                "event id \(event.id) stands twice in one append to stream \(append.stream): every event has its own",
                stream: append.stream
            )
        }
    }
}
