extension EventLine {
    /// Appends the line as JSON in the contract's form, without a line break.
    package func appendJSON(to bytes: inout [UInt8]) {
        var writer = JSONWriter(appendingTo: bytes)
        bytes = []
        writer.beginObject()
        writer.key("stream")
        writer.plain { stream.uuid.appendText(to: &$0) }
        writer.key("id")
        writer.plain { event.id.uuid.appendText(to: &$0) }
        writer.key("type")
        writer.string(event.type.name)
        if let occurredAt = event.occurredAt {
            writer.key("occurredAt")
            writer.plain { occurredAt.appendText(to: &$0) }
        }
        writer.key("data")
        writer.raw(event.data)
        writer.key("metadata")
        writer.raw(event.metadata)
        switch expectedVersion {
        case .any: break
        case .exactly(let version):
            writer.key("expectedVersion")
            writer.integer(Int64(version))
        case .noStream, .exists:
            writer.key("expectedVersion")
            writer.string(expectedVersion.description)
        }
        writer.endObject()
        bytes = writer.bytes
    }

    /// The line as JSON in the contract's form, without a line break.
    public var json: String {
        var bytes: [UInt8] = []
        appendJSON(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension RecordedEvent {
    /// Appends the event as one line of JSON, without a line break: the contract's form plus `version`, `position` and
    /// `recordedAt`. `data` and `metadata` are the producer's bytes, on one line; if members were erased, `erased`
    /// names them.
    package func appendJSON(to bytes: inout [UInt8]) {
        var writer = JSONWriter(appendingTo: bytes)
        bytes = []
        writer.beginObject()
        writer.key("stream")
        writer.plain { stream.uuid.appendText(to: &$0) }
        writer.key("version")
        writer.integer(Int64(version))
        writer.key("position")
        writer.integer(position)
        writer.key("id")
        writer.plain { id.uuid.appendText(to: &$0) }
        writer.key("type")
        writer.string(type.name)
        writer.key("occurredAt")
        writer.plain { occurredAt.appendText(to: &$0) }
        writer.key("recordedAt")
        writer.plain { recordedAt.appendText(to: &$0) }
        writer.key("data")
        writer.raw(data)
        writer.key("metadata")
        writer.raw(metadata)
        if !erased.isEmpty {
            writer.key("erased")
            writer.beginArray()
            for member in erased { writer.string(member) }
            writer.endArray()
        }
        writer.endObject()
        bytes = writer.bytes
    }

    /// The event as one line of JSON, without a line break.
    public var json: String {
        var bytes: [UInt8] = []
        appendJSON(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
