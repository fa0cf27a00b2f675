/// One member of a JSON object: where its name and its value lie.
package struct JSONMember: Hashable, Sendable {
    /// The name, a string with its quotes.
    package let key: JSONSlice
    /// The value.
    package let value: JSONSlice
}

/// Walks over the members of a JSON object in order, and checks each as it comes.
///
/// A repeated name is returned each time; JSON readers take the last one. If a member fails, ``key`` tells which one.
///
/// ```swift
/// var members = JSONMembers(of: bytes.span)
/// while let member = try members.next(in: bytes.span) { … }
/// ```
package struct JSONMembers {
    private enum Place { case start, first, later, end }

    private var scanner: JSONScanner
    private var place = Place.start
    private let isTrusted: Bool
    /// The name of the member that is being read, once it has one.
    package private(set) var key: JSONSlice?

    /// Starts a walk over the members of an object.
    ///
    /// - Parameters:
    ///   - bytes: The bytes; pass the same to ``next(in:)``.
    ///   - range: The object's range in them, with white space around it allowed; all of them by default.
    ///   - trusted: Whether ``JSONScanner/validate(_:)`` has passed these bytes. The walk then skips values without
    ///     looking into them, which is twice as fast; with other bytes it returns nonsense, but stays inside the range.
    package init(of bytes: Span<UInt8>, in range: Range<Int>? = nil, trusted: Bool = false) {
        scanner = JSONScanner(bytes, in: range ?? 0..<bytes.count)
        isTrusted = trusted
    }

    /// The next member; `nil` after the last, if only white space follows the object.
    ///
    /// - Throws: ``JSONFault`` at the first thing that is wrong.
    package mutating func next(in bytes: Span<UInt8>) throws(JSONFault) -> JSONMember? {
        key = nil
        scanner.skipWhitespace(bytes)
        switch place {
        case .start:
            guard scanner.peek(bytes) == UInt8(ascii: "{") else {
                // Something that is not an object is reported as such only if it is JSON.
                _ = try scanner.value(bytes)
                try scanner.finish(bytes)
                throw JSONFault(.notAnObject, at: 0)
            }
            scanner.offset &+= 1
            scanner.skipWhitespace(bytes)
            place = .first
            if scanner.peek(bytes) == UInt8(ascii: "}") { return try finish(bytes) }
        case .first: break
        case .later:
            if scanner.peek(bytes) == UInt8(ascii: "}") { return try finish(bytes) }
            try scanner.expect(UInt8(ascii: ","), bytes)
            scanner.skipWhitespace(bytes)
        case .end: return nil
        }
        guard scanner.peek(bytes) == UInt8(ascii: "\"") else { throw scanner.unexpected() }
        let start = scanner.offset
        let hasEscapes = isTrusted ? try scanner.skipString(bytes) : try scanner.string(bytes)
        let key = JSONSlice(kind: .string, range: start..<scanner.offset, hasEscapes: hasEscapes)
        self.key = key
        scanner.skipWhitespace(bytes)
        try scanner.expect(UInt8(ascii: ":"), bytes)
        scanner.skipWhitespace(bytes)
        let value = isTrusted ? try scanner.skipValue(bytes) : try scanner.value(bytes)
        place = .later
        return JSONMember(key: key, value: value)
    }

    private mutating func finish(_ bytes: Span<UInt8>) throws(JSONFault) -> JSONMember? {
        scanner.offset &+= 1
        try scanner.finish(bytes)
        place = .end
        return nil
    }
}
