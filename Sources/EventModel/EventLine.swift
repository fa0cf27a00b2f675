import FoundationEssentials

/// One line of JSON as producers send it: an event, the stream it goes to, and what that stream must hold.
///
/// The fields are those of `events.md`. `stream` and `type` must be there; a missing `id` becomes a UUIDv7 of `occurredAt`
/// or of now; a missing `data` or `metadata` is `{}`. A field given twice, a field that the contract does not know (a
/// misspelt `expectedVersion` would otherwise be lost in silence) and a `null` are refused.
public struct EventLine: Hashable, Sendable {
    /// The stream that the event goes to.
    public let stream: StreamID
    /// What the stream must hold for the append to succeed.
    public let expectedVersion: ExpectedVersion
    /// The event; its JSON is the bytes that the producer sent.
    public let event: EventDraft

    /// Puts a line together.
    public init(stream: StreamID, expectedVersion: ExpectedVersion = .any, event: EventDraft) {
        self.stream = stream
        self.expectedVersion = expectedVersion
        self.event = event
    }

    /// Reads one line.
    ///
    /// - Parameters:
    ///   - bytes: One JSON object in UTF-8; white space around it is allowed.
    ///   - number: The line's number, counted from 1, for the error.
    /// - Throws: ``EventModelError`` that names the line, the field and the reason.
    public init(_ bytes: Span<UInt8>, number: Int? = nil) throws(EventModelError) {
        do throws(EventModelError) {
            var fields = Fields()
            try fields.read(bytes)
            self = try fields.line()
        } catch {
            throw error.at(line: number)
        }
    }

    /// Reads one line and says whether it had an id of its own; without one it got a UUIDv7.
    ///
    /// - Throws: ``EventModelError`` that names the field and the reason.
    package static func parse(_ bytes: Span<UInt8>) throws(EventModelError) -> (line: EventLine, hasID: Bool) {
        var fields = Fields()
        try fields.read(bytes)
        return (try fields.line(), fields.hasID)
    }

    /// Reads one line from text; see ``init(_:number:)-(Span<UInt8>,_)``.
    public init(_ text: String, number: Int? = nil) throws(EventModelError) {
        try self.init(text.utf8.span, number: number)
    }
}

/// The fields of a line, as far as they were read.
private struct Fields {
    private enum Name: String, CaseIterable {
        case stream, id, type, occurredAt, data, metadata, expectedVersion

        static let all = allCases.map { (name: $0, text: Array($0.rawValue.utf8)) }
    }

    private static let frequentTypes = EventType.frequent.map { (type: $0, text: Array($0.name.utf8)) }
    private static let emptyObject = Array("{}".utf8)
    private static let recorded: Set<String> = ["version", "position", "recordedAt"]

    private var stream: StreamID?
    private var id: EventID?
    private var type: EventType?
    private var occurredAt: Timestamp?
    private var data: [UInt8]?
    private var metadata: [UInt8]?
    private var expectedVersion: ExpectedVersion?

    /// Whether the line had an id.
    var hasID: Bool { id != nil }

    mutating func read(_ bytes: Span<UInt8>) throws(EventModelError) {
        var members = JSONMembers(of: bytes)
        while let member = try Fields.next(&members, bytes) {
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
                data = try Fields.object(value, field, bytes)
            case .metadata:
                try Fields.refuseTwice(metadata != nil, field)
                metadata = try Fields.object(value, field, bytes)
            case .expectedVersion:
                try Fields.refuseTwice(expectedVersion != nil, field)
                expectedVersion = try Fields.version(value, field, bytes)
            }
        }
    }

    func line() throws(EventModelError) -> EventLine {
        guard let stream else {
            throw EventModelError(.missingField, field: "stream", "it is missing; say which stream the event goes to")
        }
        guard let type else {
            throw EventModelError(.missingField, field: "type", "it is missing; say what happened")
        }
        let event = EventDraft(
            valid: id ?? .generate(at: occurredAt ?? .now()),
            type: type,
            occurredAt: occurredAt,
            data: data ?? Fields.emptyObject,
            metadata: metadata ?? Fields.emptyObject
        )
        return EventLine(stream: stream, expectedVersion: expectedVersion ?? .any, event: event)
    }

    private static func next(_ members: inout JSONMembers, _ bytes: Span<UInt8>) throws(EventModelError) -> JSONMember?
    {
        do throws(JSONFault) {
            return try members.next(in: bytes)
        } catch {
            let code: EventModelError.Code = error.isSyntax || error.reason == .notAnObject ? .notJSON : .invalidField
            guard let key = members.key, key.range.count <= 66 else { throw EventModelError(code, error.text) }
            throw EventModelError(code, field: key.string(in: bytes), error.text)
        }
    }

    private static func name(_ key: JSONSlice, _ bytes: Span<UInt8>) throws(EventModelError) -> Name {
        for candidate in Name.all where key.equals(candidate.text, in: bytes) { return candidate.name }
        let text = key.range.count <= 66 ? key.string(in: bytes) ?? "" : "a field with a long name"
        let advice =
            recorded.contains(text)
            ? "the recorder gives it; remove it" : "no such field is known; put it in data or metadata, or remove it"
        throw EventModelError(.unknownField, field: text, advice)
    }

    private static func refuseTwice(_ isThere: Bool, _ field: String) throws(EventModelError) {
        if isThere { throw EventModelError(.duplicateField, field: field, "it is given twice; give it once") }
    }

    /// The range of a string's characters, if none of them is escaped.
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
        for candidate in frequentTypes where value.equals(candidate.text, in: bytes) { return candidate.type }
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
        var result = Result<Timestamp, Timestamp.Refusal>.failure(.form)
        if let range = plain(value) {
            result = Timestamp.parse(bytes, in: range)
        } else if let text = value.string(in: bytes) {
            result = Timestamp.parse(text.utf8.span, in: 0..<text.utf8.count)
        }
        switch result {
        case .success(let moment): return moment
        case .failure(let refusal): throw EventModelError(.invalidField, field: field, refusal.text)
        }
    }

    private static func object(
        _ value: JSONSlice,
        _ field: String,
        _ bytes: Span<UInt8>
    ) throws(EventModelError) -> [UInt8] {
        guard value.kind == .object else { throw JSONFault(.notAnObject, at: 0).refusal(field: field) }
        guard value.range.count <= EventDraft.largestJSON else { throw EventDraft.tooLarge(field: field) }
        return value.bytes(in: bytes)
    }

    private static func version(
        _ value: JSONSlice,
        _ field: String,
        _ bytes: Span<UInt8>
    ) throws(EventModelError) -> ExpectedVersion {
        if let number = value.integer(in: bytes), number >= 0 { return .exactly(number) }
        switch value.string(in: bytes) {
        case "any": return .any
        case "none": return .none
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
