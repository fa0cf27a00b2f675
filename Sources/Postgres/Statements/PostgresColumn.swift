package import FoundationEssentials

/// An array parameter that is filled value by value: one column of a batch that is sent in one statement.
///
/// The most frequent types have their own `append`: generic calls across targets are not specialised, and cost several
/// times as much.
///
/// Source: `array_recv` in PostgreSQL's `src/backend/utils/adt/arrayfuncs.c`.
package struct PostgresColumn: Sendable {
    /// The elements' type.
    package let type: PostgresType
    private var buffer = PostgresBuffer()
    /// How many elements there are.
    package private(set) var count = 0

    /// The offset of the length in the array's header, and the header's size.
    private static let (countOffset, headerSize) = (12, 20)

    /// - Parameters:
    ///   - type: The elements' type.
    ///   - count: How many elements to expect.
    ///   - width: About how many bytes an element has.
    package init(of type: PostgresType, count: Int = 0, width: Int = 0) {
        self.type = type
        buffer.reserve(Self.headerSize + count * (width + 4))
        Self.begin(&buffer, type, dimensions: 1)
        buffer.append(Int32(0))
        buffer.append(Int32(1))
    }

    private static func begin(_ buffer: inout PostgresBuffer, _ type: PostgresType, dimensions: Int32) {
        buffer.append(dimensions)
        // The server looks for NULLs itself; this flag is only a hint.
        buffer.append(Int32(1))
        buffer.append(type.rawValue)
    }

    /// Appends a value.
    package mutating func append(_ value: some PostgresEncodable) {
        buffer.append(field: value)
        count += 1
    }

    /// Appends a `smallint`.
    package mutating func append(_ value: Int16) {
        buffer.append(Int32(2))
        buffer.append(value)
        count += 1
    }

    /// Appends an `integer`.
    package mutating func append(_ value: Int32) {
        buffer.append(field: value)
        count += 1
    }

    /// Appends a `bigint`.
    package mutating func append(_ value: Int64) {
        buffer.append(field: value)
        count += 1
    }

    /// Appends a `text`.
    package mutating func append(_ value: String) {
        buffer.append(field: value)
        count += 1
    }

    /// Appends a `timestamptz`.
    package mutating func append(_ value: PostgresTimestamp) {
        buffer.append(field: value)
        count += 1
    }

    /// Appends a `uuid`.
    package mutating func append(_ value: UUID) {
        buffer.append(field: value)
        count += 1
    }

    /// Appends a value whose binary form is a range of `bytes`.
    package mutating func append(_ bytes: Span<UInt8>, in range: Range<Int>) {
        buffer.append(field: bytes, in: range)
        count += 1
    }

    /// Appends a field that a buffer already holds, including its length; `nil` is NULL.
    package mutating func append(field range: Range<Int>?, of bytes: borrowing PostgresBuffer) {
        if let range { buffer.append(bytes.bytes.span, in: range) } else { buffer.appendNull() }
        count += 1
    }

    /// The first value by itself, for a parameter of its own; `nil` if it is NULL.
    ///
    /// The array must have at least one element.
    package var first: PostgresBuffer? {
        let length = unsafe buffer.bytes.withUnsafeBytes { unsafe $0.integer(Int32.self, at: Self.headerSize) }
        guard let length, length >= 0 else { return nil }
        let start = Self.headerSize + 4
        var value = PostgresBuffer()
        value.append(bytes: buffer.bytes[start..<(start + Int(length))])
        return value
    }

    /// The whole array.
    package func finished() -> PostgresBuffer {
        guard count > 0 else {
            var empty = PostgresBuffer()
            Self.begin(&empty, type, dimensions: 0)
            return empty
        }
        var array = buffer
        array.replace(at: Self.countOffset, with: Int32(count))
        return array
    }
}

extension PostgresParameters {
    /// Appends the next parameter, an array.
    ///
    /// - Throws: ``PostgresError`` with `.encoding` if it is larger than the server takes.
    package mutating func append(_ column: PostgresColumn) throws(PostgresError) {
        try append(encoded: column.finished(), as: column.type.array)
    }
}
