/// A JSON value as a tree, for callers that want one; the recorder itself works on bytes.
///
/// Members keep their order, and numbers their digits.
public indirect enum JSONValue: Hashable, Sendable {
    /// A member of an object.
    public struct Member: Hashable, Sendable {
        /// The member's name.
        public let name: String
        /// The member's value.
        public let value: JSONValue

        /// Creates a member.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// An object's members in order; a name may occur twice.
    case object([Member])
    /// An array's elements.
    case array([JSONValue])
    /// A string's characters.
    case string(String)
    /// A number's exact text, such as `1.50`.
    case number(String)
    /// `true` or `false`.
    case bool(Bool)
    /// `null`
    case null

    /// Reads JSON that the contract accepts.
    ///
    /// - Throws: ``EventModelError`` with code `.notJSON` or `.invalidField`, which says what is wrong.
    public init(json: [UInt8]) throws(EventModelError) {
        do throws(JSONFault) {
            let bytes = json.span
            self = try JSONValue.read(JSONScanner.validate(bytes), bytes)
        } catch {
            throw EventModelError(error.isSyntax ? .notJSON : .invalidField, error.text)
        }
    }

    /// The value of an object's member, of the last one if several have the name; `nil` for anything else.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// The characters of a string; nil for anything else.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The exact text of a number; nil for anything else.
    public var number: String? {
        if case .number(let text) = self { text } else { nil }
    }

    /// The nearest `Double` to a number; `nil` for anything else.
    public var double: Double? { number.flatMap { Double($0) } }

    /// The value of a whole number, even if written with a fraction of zeros or an exponent; `nil` for anything else.
    public var integer: Int? { number.flatMap { Int(wholeNumber: $0) } }

    /// The value of `true` or `false`; `nil` for anything else.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The value as JSON without white space.
    public var json: String {
        var writer = JSONWriter()
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Writes the value.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.name)
                member.value.write(to: &writer)
            }
            writer.endObject()
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .string(let text): writer.string(text)
        case .number(let text): writer.raw(text)
        case .bool(let value): writer.bool(value)
        case .null: writer.null()
        }
    }

    /// Builds the tree of a validated value; validation bounds the recursion by ``JSONScanner/deepest``.
    private static func read(_ slice: JSONSlice, _ bytes: Span<UInt8>) throws(JSONFault) -> JSONValue {
        switch slice.kind {
        case .object:
            var walk = JSONMembers(of: bytes, in: slice.range, trusted: true)
            var members: [Member] = []
            while let member = try walk.next(in: bytes) {
                members.append(Member(member.key.string(in: bytes) ?? "", try read(member.value, bytes)))
            }
            return .object(members)
        case .array:
            var walk = JSONElements(of: bytes, in: slice.range)
            var elements: [JSONValue] = []
            while let element = try walk.next(in: bytes) { elements.append(try read(element, bytes)) }
            return .array(elements)
        case .string: return .string(slice.string(in: bytes) ?? "")
        case .number: return .number(slice.text(in: bytes))
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .null: return .null
        }
    }
}
