/// Who acted, from where, and the trace that an event belongs to. Fields that are `nil` are left out.
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
    /// Anything else to keep; each name once, and none of the above.
    public var others: [JSONValue.Member]

    /// Creates metadata.
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
    /// - Throws: ``EventModelError``, which names the field, if one holds U+0000 or something that is not JSON, or if
    ///   ``others`` repeats a name.
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
                // JSON readers take the last of two members, which would replace what the service itself says.
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
