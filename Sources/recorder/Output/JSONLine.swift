import EventModel

/// One line of JSON on standard output. What is nil is written as null: readers find every field in every line.
struct JSONLine {
    private var writer: JSONWriter

    /// Writes a line whose object `body` fills.
    static func print(_ body: (inout JSONLine) -> Void) {
        var line = JSONLine(writer: JSONWriter())
        line.writer.beginObject()
        body(&line)
        line.writer.endObject()
        let bytes = line.writer.bytes
        StandardOutput.shared.write { output in
            output.append(contentsOf: bytes)
            output.append(0x0A)
        }
    }

    /// A text.
    mutating func field(_ name: String, _ value: String?) {
        writer.key(name)
        if let value { writer.string(value) } else { writer.null() }
    }

    /// A whole number.
    mutating func field(_ name: String, _ value: Int?) {
        writer.key(name)
        if let value { writer.integer(Int64(value)) } else { writer.null() }
    }

    /// A number; what is not finite is null.
    mutating func field(_ name: String, _ value: Double?) {
        writer.key(name)
        if let value, value.isFinite { writer.double(value) } else { writer.null() }
    }

    /// A truth value.
    mutating func field(_ name: String, _ value: Bool?) {
        writer.key(name)
        if let value { writer.bool(value) } else { writer.null() }
    }

    /// A moment, as RFC 3339.
    mutating func field(_ name: String, _ value: Timestamp?) { field(name, value?.description) }

    /// An amount of money: a string, so that no reader rounds it.
    mutating func field(_ name: String, _ value: Money?) { field(name, value?.text) }

    /// Any JSON.
    mutating func field(_ name: String, _ value: JSONValue?) {
        writer.key(name)
        if let value { value.write(to: &writer) } else { writer.null() }
    }

    /// An object that `body` fills.
    mutating func object(_ name: String, _ body: (inout JSONLine) -> Void) {
        writer.key(name)
        writer.beginObject()
        body(&self)
        writer.endObject()
    }

    /// An array of objects.
    mutating func objects<Element>(
        _ name: String,
        _ elements: some Sequence<Element>,
        _ body: (inout JSONLine, Element) -> Void
    ) {
        writer.key(name)
        writer.beginArray()
        for element in elements {
            writer.beginObject()
            body(&self, element)
            writer.endObject()
        }
        writer.endArray()
    }
}
