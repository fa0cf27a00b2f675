/// An event that a producer wants to append. It is valid: whoever holds one need not check it again.
public struct EventDraft: Hashable, Sendable {
    /// The largest `data`, and the largest `metadata`, in bytes of JSON: 1 MiB.
    public static let largestJSON = 1 << 20

    /// The event's identity in its stream.
    public let id: EventID
    /// What happened.
    public let type: EventType
    /// When it happened by the producer's clock; nil leaves it to the recorder's.
    public let occurredAt: Timestamp?
    /// A JSON object, UTF-8, in the bytes that the producer sent.
    public let data: [UInt8]
    /// A JSON object, UTF-8, in the bytes that the producer sent.
    public let metadata: [UInt8]

    /// Checks two JSON objects against the contract and keeps their bytes.
    ///
    /// - Parameters:
    ///   - id: The event's identity in its stream; the same id again is the same append.
    ///   - type: What happened.
    ///   - occurredAt: The producer's clock; nil leaves it to the recorder's.
    ///   - data: A JSON object of at most ``largestJSON`` bytes.
    ///   - metadata: A JSON object of at most ``largestJSON`` bytes.
    /// - Throws: ``EventModelError`` that names `data` or `metadata` and the reason.
    public init(
        id: EventID,
        type: EventType,
        occurredAt: Timestamp? = nil,
        data: [UInt8] = Array("{}".utf8),
        metadata: [UInt8] = Array("{}".utf8)
    ) throws(EventModelError) {
        try EventDraft.check(data, field: "data")
        try EventDraft.check(metadata, field: "metadata")
        self.init(valid: id, type: type, occurredAt: occurredAt, data: data, metadata: metadata)
    }

    /// Takes JSON objects that are known to be valid, such as those that the project's own code just wrote.
    package init(valid id: EventID, type: EventType, occurredAt: Timestamp?, data: [UInt8], metadata: [UInt8]) {
        self.id = id
        self.type = type
        self.occurredAt = occurredAt
        self.data = data
        self.metadata = metadata
    }

    private static func check(_ json: [UInt8], field: String) throws(EventModelError) {
        guard json.count <= largestJSON else { throw tooLarge(field: field) }
        do throws(JSONFault) {
            let value = try JSONScanner.validate(json.span)
            guard value.kind == .object else { throw JSONFault(.notAnObject, at: 0) }
        } catch {
            throw error.refusal(field: field)
        }
    }

    /// The refusal of a JSON object that is larger than ``largestJSON``.
    static func tooLarge(field: String) -> EventModelError {
        EventModelError(
            .tooLarge,
            field: field,
            "it is larger than 1 MiB; store large content elsewhere and append its address"
        )
    }
}
