internal import EventModel
internal import PayloadCodec

/// The contents of a parcel that is being packed.
struct AppendParcelContents {
    private(set) var frames: [UInt8] = []
    private(set) var events: [AppendParcel.Event] = []
    private(set) var parts: [AppendParcel.Part] = []
    /// The keys that something was sealed under; appends under one key mostly follow each other.
    private(set) var keys: [SealingKey] = []
    let packing: AppendPacking
    let fields: PersonalFields?
    /// The personal fields found in the latest event.
    private var found = PersonalFields.Found()
    /// Whether something of the latest append was sealed.
    private var isSealed = false
    private let now = Timestamp.now()

    /// - Parameters:
    ///   - packing: How payloads are compressed, and since when their keys were looked up.
    ///   - fields: What is personal, if appends come with keys.
    ///   - size: About how many bytes to expect, by ``AppendRequest/size(of:)``.
    ///   - appends: How many appends to expect; most have one event each.
    init(packing: AppendPacking, fields: PersonalFields? = nil, size: Int, appends: Int) {
        self.packing = packing
        self.fields = fields
        frames.reserveCapacity(size / 2)
        events.reserveCapacity(appends)
        parts.reserveCapacity(appends)
    }

    /// The streams of the appends that name the user they are about, by place.
    var named: [Int: StreamID] {
        var named: [Int: StreamID] = [:]
        for part in parts where events[part.events].contains(where: { $0.subject != nil }) {
            named[part.place] = part.stream
        }
        return named
    }

    /// Whether nothing was packed.
    var isEmpty: Bool { parts.isEmpty }

    /// Compresses an append's payloads. If that fails, nothing of the append stays.
    ///
    /// - Parameters:
    ///   - append: The append to one stream.
    ///   - place: Its place among the appends that are waited for.
    ///   - key: The key that seals its personal fields; `nil` if it has none, or the log is not sealed.
    /// - Throws: ``EventStoreError`` with `.invalidAppend` if it has no event or one id twice, or a payload is too
    ///   large or has too many personal values; `.refused` if a payload cannot be sealed for another reason.
    mutating func add(_ append: some StreamAppend, place: Int, key: SealingKey?) throws {
        try Self.check(append)
        let (first, start) = (events.count, frames.count)
        isSealed = false
        do {
            for event in append.events { try add(event, to: append.stream, key: key) }
        } catch {
            events.removeSubrange(first...)
            frames.removeSubrange(start...)
            throw error
        }
        let used = isSealed ? key : nil
        if let used, keys.last?.id != used.id { keys.append(used) }
        parts.append(
            AppendParcel.Part(
                stream: append.stream,
                expectedVersion: append.expectedVersion,
                events: first..<events.count,
                place: place,
                key: used?.id
            )
        )
    }

    private mutating func add(_ event: EventDraft, to stream: StreamID, key: SealingKey?) throws {
        let start = frames.count
        let encoding: PayloadEncoding
        do {
            encoding = try encode(event, in: stream, key)
        } catch {
            throw EventStoreError(cannotEncode: error, event.id, of: stream)
        }
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
                isSealed = true
                return try packing.encoder.encode(data: data, metadata: metadata, sealing: seal, into: &frames)
            }
        }
        return try packing.encoder.encode(data: data, metadata: metadata, of: event.id.uuid, into: &frames)
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
