internal import FoundationEssentials

/// One line of JSON as producers send it: an event, its stream, and what that stream must hold.
///
/// The fields are those of `events.md`. `stream` and `type` are required; a missing `id` becomes a UUIDv7 of
/// `occurredAt`, or of now; a missing `data` or `metadata` is `{}`. Refused are a field given twice, a `null`, and a
/// field that the contract does not know (a misspelt `expectedVersion` would otherwise be lost silently).
public struct EventLine: Hashable, Sendable {
    /// The stream that the event goes to.
    public let stream: StreamID
    /// What the stream must hold for the append to succeed.
    public let expectedVersion: ExpectedVersion
    /// The event; its JSON is the bytes that the producer sent.
    public let event: EventDraft

    /// Combines an event with its stream.
    public init(stream: StreamID, expectedVersion: ExpectedVersion = .any, event: EventDraft) {
        self.stream = stream
        self.expectedVersion = expectedVersion
        self.event = event
    }

    /// Reads one line.
    ///
    /// - Parameters:
    ///   - bytes: One JSON object in UTF-8; white space around it is allowed. The event shares these bytes.
    ///   - number: The line's number, counted from 1, for the error.
    /// - Throws: ``EventModelError``, which names the line, the field and the reason.
    public init(_ bytes: [UInt8], number: Int? = nil) throws(EventModelError) {
        do throws(EventModelError) {
            self = try Self.parse(bytes, in: 0..<bytes.count).line
        } catch {
            throw error.at(line: number)
        }
    }

    /// Reads one of several lines, and tells whether it had an id of its own; otherwise it gets a UUIDv7.
    ///
    /// - Parameters:
    ///   - bytes: The lines; the event shares all of them.
    ///   - range: The line's range.
    /// - Throws: ``EventModelError``, which names the field and the reason.
    package static func parse(
        _ bytes: [UInt8],
        in range: Range<Int>
    ) throws(EventModelError) -> (line: EventLine, hasID: Bool) {
        var fields = Fields()
        try fields.read(bytes.span, in: range)
        return (try fields.line(of: bytes), fields.hasID)
    }

    /// Reads one line from text; see ``init(_:number:)-([UInt8],_)``.
    public init(_ text: String, number: Int? = nil) throws(EventModelError) {
        try self.init(Array(text.utf8), number: number)
    }
}

/// The fields of a line that were read so far.
private struct Fields {
    private enum Name: String {
        case stream, id, type, occurredAt, data, metadata, expectedVersion

        /// The only field whose name has this length and first character.
        init?(count: Int, first: UInt8) {
            switch (count, first) {
            case (6, _): self = .stream
            case (2, _): self = .id
            case (4, UInt8(ascii: "t")): self = .type
            case (4, _): self = .data
            case (10, _): self = .occurredAt
            case (8, _): self = .metadata
            case (15, _): self = .expectedVersion
            default: return nil
            }
        }
    }

    private static let recorded: Set<String> = ["version", "position", "recordedAt"]

    private var stream: StreamID?
    private var id: EventID?
    private var type: EventType?
    private var occurredAt: Timestamp?
    private var data: Range<Int>?
    private var metadata: Range<Int>?
    private var expectedVersion: ExpectedVersion?

    /// Whether the line gave an id.
    var hasID: Bool { id != nil }

    mutating func read(_ bytes: Span<UInt8>, in range: Range<Int>) throws(EventModelError) {
        var members = JSONMembers(of: bytes, in: range)
        while let member = try Fields.next(&members, bytes, from: range.lowerBound) {
            let name = try Fields.name(member.key, bytes)
            let field = name.rawValue
            let value = member.value
            switch name {
            case .stream:
                try Fields.refuseTwice(stream != nil, field)
                stream = StreamID(try Fields.uuid(value, field, bytes))
            case .id:
                try Fields.refuseTwice(id != nil, field)
                id = EventID(try Fields.uuid(value, field, bytes))
            case .type:
                try Fields.refuseTwice(type != nil, field)
                type = try Fields.type(value, bytes)
            case .occurredAt:
                try Fields.refuseTwice(occurredAt != nil, field)
                occurredAt = try Fields.time(value, field, bytes)
            case .data:
                try Fields.refuseTwice(data != nil, field)
                data = try Fields.object(value, field)
            case .metadata:
                try Fields.refuseTwice(metadata != nil, field)
                metadata = try Fields.object(value, field)
            case .expectedVersion:
                try Fields.refuseTwice(expectedVersion != nil, field)
                expectedVersion = try Fields.version(value, field, bytes)
            }
        }
    }

    func line(of bytes: [UInt8]) throws(EventModelError) -> EventLine {
        guard let stream else {
            throw EventModelError(.missingField, field: "stream", "it is missing; say which stream the event goes to")
        }
        guard let type else {
            throw EventModelError(.missingField, field: "type", "it is missing; say what happened")
        }
        let id = id ?? .generate(at: occurredAt ?? .now())
        let metadata = metadata ?? 0..<0
        let event =
            if let data {
                EventDraft(valid: id, type: type, occurredAt: occurredAt, json: bytes, data: data, metadata: metadata)
            } else {
                EventDraft(
                    valid: id,
                    type: type,
                    occurredAt: occurredAt,
                    data: EventDraft.emptyObject,
                    metadata: Array(bytes[metadata])
                )
            }
        return EventLine(stream: stream, expectedVersion: expectedVersion ?? .any, event: event)
    }

    private static func next(
        _ members: inout JSONMembers,
        _ bytes: Span<UInt8>,
        from start: Int
    ) throws(EventModelError) -> JSONMember? {
        do throws(JSONFault) {
            return try members.next(in: bytes)
        } catch let fault {
            // The line may lie among others, but the sender counts from its beginning.
            let error = JSONFault(fault.reason, at: fault.offset - start)
            let code: EventModelError.Code = error.isSyntax || error.reason == .notAnObject ? .notJSON : .invalidField
            guard let key = members.key, key.range.count <= 66 else { throw EventModelError(code, error.text) }
            throw EventModelError(code, field: key.string(in: bytes), error.text)
        }
    }

    private static func name(_ key: JSONSlice, _ bytes: Span<UInt8>) throws(EventModelError) -> Name {
        let content = key.content
        if !key.hasEscapes, !content.isEmpty, let name = Name(count: content.count, first: bytes[content.lowerBound]),
            key.equalsUnescaped(name.rawValue, in: bytes)
        {
            return name
        }
        if key.hasEscapes, let name = key.string(in: bytes).flatMap(Name.init(rawValue:)) { return name }
        let text = key.range.count <= 66 ? key.string(in: bytes) ?? "" : "a field with a long name"
        let advice =
            recorded.contains(text)
            ? "the recorder gives it; remove it" : "no such field is known; put it in data or metadata, or remove it"
        throw EventModelError(.unknownField, field: text, advice)
    }

    private static func refuseTwice(_ isThere: Bool, _ field: String) throws(EventModelError) {
        if isThere { throw EventModelError(.duplicateField, field: field, "it is given twice; give it once") }
    }

    /// The range of a string's characters, if it has no escapes.
    private static func plain(_ value: JSONSlice) -> Range<Int>? {
        value.kind == .string && !value.hasEscapes ? value.content : nil
    }

    private static func uuid(_ value: JSONSlice, _ field: String, _ bytes: Span<UInt8>) throws(EventModelError) -> UUID
    {
        let uuid = plain(value).map { UUID(ascii: bytes, in: $0) } ?? value.string(in: bytes).flatMap(UUID.init(text:))
        guard let uuid else {
            throw EventModelError(
                .invalidField,
                field: field,
                "it is not a UUID, such as 019cad8f-ac00-7e4e-a7b6-815d4e98868f"
            )
        }
        return uuid
    }

    private static func type(_ value: JSONSlice, _ bytes: Span<UInt8>) throws(EventModelError) -> EventType {
        if let type = plain(value).flatMap({ EventType.frequent(bytes, in: $0) }) { return type }
        guard let name = value.string(in: bytes) else {
            throw EventModelError(.invalidField, field: "type", "it is not a string, such as \"turn.started\"")
        }
        return try EventType(name)
    }

    private static func time(
        _ value: JSONSlice,
        _ field: String,
        _ bytes: Span<UInt8>
    ) throws(EventModelError) -> Timestamp {
        do throws(Timestamp.Refusal) {
            if let range = plain(value) { return try Timestamp.parse(bytes, in: range) }
            guard let text = value.string(in: bytes) else { throw .form }
            return try Timestamp.parse(text.utf8.span, in: 0..<text.utf8.count)
        } catch {
            throw EventModelError(.invalidField, field: field, error.text)
        }
    }

    private static func object(_ value: JSONSlice, _ field: String) throws(EventModelError) -> Range<Int> {
        guard value.kind == .object else { throw JSONFault(.notAnObject, at: 0).refusal(field: field) }
        guard value.range.count <= EventDraft.largestJSON else { throw EventDraft.tooLarge(field: field) }
        return value.range
    }

    private static func version(
        _ value: JSONSlice,
        _ field: String,
        _ bytes: Span<UInt8>
    ) throws(EventModelError) -> ExpectedVersion {
        if let number = value.integer(in: bytes), number >= 0 { return .exactly(number) }
        switch value.string(in: bytes) {
        case "any": return .any
        case "none": return .noStream
        case "exists": return .exists
        default:
            throw EventModelError(
                .invalidField,
                field: field,
                "it is none of \"any\", \"none\", \"exists\" and the whole numbers from 0"
            )
        }
    }
}
