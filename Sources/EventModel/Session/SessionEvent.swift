/// An event of a session as a Swift type. A field that was not measured is `nil` and left out, which never means zero.
public protocol SessionEvent: Sendable {
    /// The event's type in the log.
    static var type: EventType { get }
    /// Writes the fields of `data`.
    func write(to fields: inout EventFields)
}

extension SessionEvent {
    /// The event as a draft to append.
    ///
    /// - Parameters:
    ///   - id: The event's identity in its stream; by default a UUIDv7 of `occurredAt`.
    ///   - occurredAt: The time by the producer's clock.
    ///   - metadata: Who acted, from where, and the trace that the event belongs to.
    /// - Throws: ``EventModelError``, which names the field, if one holds U+0000, a number that is not finite or not
    ///   JSON, or a time outside the years 0 to 9999, if the metadata repeats a name, or if data or metadata is too
    ///   large.
    public func draft(
        id: EventID? = nil,
        occurredAt: Timestamp = .now(),
        metadata: EventMetadata = EventMetadata()
    ) throws(EventModelError) -> EventDraft {
        var fields = EventFields()
        write(to: &fields)
        var about = EventFields()
        metadata.write(to: &about)
        return try EventDraft(
            id: id ?? .generate(at: occurredAt),
            type: Self.type,
            occurredAt: occurredAt,
            data: fields.finish(),
            metadata: about.finish()
        )
    }
}
