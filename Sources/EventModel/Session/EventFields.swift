public import FoundationEssentials

/// Writes the fields of an event's `data` or `metadata`; a field that is `nil` is left out.
public struct EventFields {
    private var writer = JSONWriter()
    private var refusal: EventModelError?

    init() { writer.beginObject() }

    /// Adds a text.
    public mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        writer.key(name)
        writer.string(value)
    }

    /// Adds a UUID, written in lower case.
    public mutating func add(_ name: String, _ value: UUID?) { add(name, value?.text) }

    /// Adds a whole number.
    public mutating func add(_ name: String, _ value: Int?) {
        guard let value else { return }
        writer.key(name)
        writer.integer(Int64(value))
    }

    /// Adds a number, which must be finite.
    public mutating func add(_ name: String, _ value: Double?) {
        guard let value else { return }
        guard value.isFinite else {
            return refuse(EventModelError(.invalidField, field: name, "the number is not finite; leave it out"))
        }
        writer.key(name)
        writer.double(value)
    }

    /// Adds `true` or `false`.
    public mutating func add(_ name: String, _ value: Bool?) {
        guard let value else { return }
        writer.key(name)
        writer.bool(value)
    }

    /// Adds an amount of money, written as a string so that no reader rounds it.
    public mutating func add(_ name: String, _ value: Money?) { add(name, value?.text) }

    /// Adds any JSON; its numbers must have JSON's form.
    public mutating func add(_ name: String, _ value: JSONValue?) {
        guard let value else { return }
        do throws(JSONFault) {
            try value.check(depth: 1)
        } catch {
            return refuse(EventModelError(.invalidField, field: name, error.reason.text))
        }
        writer.key(name)
        value.write(to: &writer)
    }

    /// Refuses the fields with this error, unless they were already refused.
    mutating func refuse(_ error: EventModelError) { refusal = refusal ?? error }

    mutating func finish() throws(EventModelError) -> [UInt8] {
        if let refusal { throw refusal }
        writer.endObject()
        return writer.bytes
    }
}
