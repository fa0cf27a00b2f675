/// Walks over the elements of a JSON array that ``JSONScanner/validate(_:)`` has passed.
package struct JSONElements {
    private var scanner: JSONScanner
    private var isFirst = true

    /// Walks over the array in `range` of the bytes; pass the same bytes to ``next(in:)``.
    package init(of bytes: Span<UInt8>, in range: Range<Int>) { scanner = JSONScanner(bytes, in: range) }

    /// The next element; `nil` after the last.
    ///
    /// - Throws: ``JSONFault`` if the bytes are not an array after all.
    package mutating func next(in bytes: Span<UInt8>) throws(JSONFault) -> JSONSlice? {
        scanner.skipWhitespace(bytes)
        if isFirst {
            try scanner.expect(UInt8(ascii: "["), bytes)
            scanner.skipWhitespace(bytes)
        }
        if scanner.peek(bytes) == UInt8(ascii: "]") || scanner.offset == scanner.end { return nil }
        if !isFirst {
            try scanner.expect(UInt8(ascii: ","), bytes)
            scanner.skipWhitespace(bytes)
        }
        isFirst = false
        return try scanner.skipValue(bytes)
    }
}
