/// Who acted, from where, and the trace that an event belongs to. What is nil is left out.
public struct EventMetadata: Hashable, Sendable {
    /// The user or service that acted.
    public var actor: String?
    /// The address that the actor came from.
    public var ipAddress: String?
    /// The program that the actor used.
    public var userAgent: String?
    /// The distributed trace, 32 hexadecimal digits by W3C's Trace Context.
    public var traceId: String?
    /// The span in the trace, 16 hexadecimal digits.
    public var spanId: String?
    /// What the event belongs to across services.
    public var correlationId: String?
    /// What led to the event.
    public var causationId: String?
    /// Whatever else the producer wants to keep, each name once, and none of those above.
    public var others: [JSONValue.Member]

    /// Puts metadata together.
    public init(
        actor: String? = nil,
        ipAddress: String? = nil,
        userAgent: String? = nil,
        traceId: String? = nil,
        spanId: String? = nil,
        correlationId: String? = nil,
        causationId: String? = nil,
        others: [JSONValue.Member] = []
    ) {
        self.actor = actor
        self.ipAddress = ipAddress
        self.userAgent = userAgent
        self.traceId = traceId
        self.spanId = spanId
        self.correlationId = correlationId
        self.causationId = causationId
        self.others = others
    }

    /// The metadata as a JSON object.
    ///
    /// - Throws: ``EventModelError`` that names the field, if one holds U+0000 or what is
    ///   no JSON, or if ``others`` name one again.
    package func json() throws(EventModelError) -> [UInt8] {
        var fields = EventFields()
        write(to: &fields)
        return try fields.finish()
    }

    func write(to fields: inout EventFields) {
        fields.add("actor", actor)
        fields.add("ipAddress", ipAddress)
        fields.add("userAgent", userAgent)
        fields.add("traceId", traceId)
        fields.add("spanId", spanId)
        fields.add("correlationId", correlationId)
        fields.add("causationId", causationId)
        var names = EventMetadata.names
        for member in others {
            if names.insert(member.name).inserted {
                fields.add(member.name, member.value)
            } else {
                // Whoever reads JSON takes the last of two: it would stand in
                // the place of what the service itself says.
                fields.refuse(EventMetadata.twice(member.name))
            }
        }
    }

    private static let names: Set<String> = [
        "actor", "ipAddress", "userAgent", "traceId", "spanId", "correlationId", "causationId",
    ]

    private static func twice(_ name: String) -> EventModelError {
        EventModelError(
            .duplicateField,
            field: name,
            names.contains(name)
                ? "it stands among the other metadata; give it as \(name) of EventMetadata"
                : "it is given twice in the metadata; give it once"
        )
    }
}
