/// A valid event that a producer wants to append; it need not be checked again.
public struct EventDraft: Hashable, Sendable {
    /// The largest `data`, and the largest `metadata`, in bytes of JSON: 1 MiB.
    public static let largestJSON = 1 << 20

    /// The event's identity in its stream.
    public let id: EventID
    /// What happened.
    public let type: EventType
    /// When it happened, by the producer's clock; `nil` to use the recorder's clock.
    public let occurredAt: Timestamp?
    /// The bytes that hold the two JSON objects, shared with their reader: keeping a draft keeps all of these bytes.
    package let json: [UInt8]
    /// The range of the data in ``json``.
    package let dataRange: Range<Int>
    /// The range of the metadata in ``json``; empty for `{}`.
    package let metadataRange: Range<Int>

    /// The data: a JSON object in UTF-8, with the bytes that the producer sent.
    public var data: [UInt8] { Array(json[dataRange]) }
    /// The metadata: a JSON object in UTF-8, with the bytes that the producer sent.
    public var metadata: [UInt8] { metadataRange.isEmpty ? Self.emptyObject : Array(json[metadataRange]) }

    /// The JSON object without members, `{}`.
    public static let emptyObject = Array("{}".utf8)

    /// Checks two JSON objects against the contract and keeps their bytes.
    ///
    /// - Parameters:
    ///   - id: The event's identity in its stream; the same id again is the same append.
    ///   - type: What happened.
    ///   - occurredAt: The time by the producer's clock, in the years 0 to 9999, in UTC; `nil` to use the recorder's
    ///     clock.
    ///   - data: A JSON object of at most ``largestJSON`` bytes.
    ///   - metadata: A JSON object of at most ``largestJSON`` bytes.
    /// - Throws: ``EventModelError``, which names `occurredAt`, `data` or `metadata` and the reason.
    public init(
        id: EventID,
        type: EventType,
        occurredAt: Timestamp? = nil,
        data: [UInt8] = Self.emptyObject,
        metadata: [UInt8] = Self.emptyObject
    ) throws(EventModelError) {
        if let occurredAt, !occurredAt.isInRFC3339 {
            throw EventModelError(.invalidField, field: "occurredAt", "it is not in the years 0 to 9999, in UTC")
        }
        try EventDraft.check(data, field: "data")
        try EventDraft.check(metadata, field: "metadata")
        self.init(valid: id, type: type, occurredAt: occurredAt, data: data, metadata: metadata)
    }

    /// Takes JSON objects and a time that are known to be valid, such as objects that the project's own code just
    /// wrote.
    package init(valid id: EventID, type: EventType, occurredAt: Timestamp?, data: [UInt8], metadata: [UInt8]) {
        self.init(
            valid: id,
            type: type,
            occurredAt: occurredAt,
            json: data + metadata,
            data: 0..<data.count,
            metadata: data.count..<(data.count + metadata.count)
        )
    }

    /// Takes JSON objects that are known to be valid, as ranges of some bytes.
    ///
    /// - Parameters:
    ///   - json: The bytes, which the draft shares.
    ///   - data: The range of the data.
    ///   - metadata: The range of the metadata; empty for `{}`.
    init(
        valid id: EventID,
        type: EventType,
        occurredAt: Timestamp?,
        json: [UInt8],
        data: Range<Int>,
        metadata: Range<Int>
    ) {
        self.id = id
        self.type = type
        self.occurredAt = occurredAt
        self.json = json
        dataRange = data
        metadataRange = metadata
    }

    /// The same event under another id.
    package func identified(as id: EventID) -> EventDraft {
        EventDraft(
            valid: id,
            type: type,
            occurredAt: occurredAt,
            json: json,
            data: dataRange,
            metadata: metadataRange
        )
    }

    /// How many bytes of JSON the event has.
    package var jsonCount: Int { dataRange.count + metadataRange.count }

    private static func check(_ json: [UInt8], field: String) throws(EventModelError) {
        guard json.count <= largestJSON else { throw tooLarge(field: field) }
        do throws(JSONFault) {
            let value = try JSONScanner.validate(json.span)
            guard value.kind == .object else { throw JSONFault(.notAnObject, at: 0) }
        } catch {
            throw error.refusal(field: field)
        }
    }

    /// The error for a JSON object that is larger than ``largestJSON``.
    static func tooLarge(field: String) -> EventModelError {
        EventModelError(
            .tooLarge,
            field: field,
            "it is larger than 1 MiB; store large content elsewhere and append its address"
        )
    }
}

/// Two drafts are equal if their contents are, wherever their bytes lie.
extension EventDraft {
    /// Compares the drafts' contents, which may be equal although they share no bytes.
    public static func == (left: EventDraft, right: EventDraft) -> Bool {
        left.id == right.id && left.type == right.type && left.occurredAt == right.occurredAt
            && left.json[left.dataRange] == right.json[right.dataRange] && left.metadata == right.metadata
    }

    /// Hashes only the id, which hardly any two events share: the same one in another stream is another event.
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
