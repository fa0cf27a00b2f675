package import FoundationEssentials

/// Writers for known field types, of which other targets append thousands. Generic calls across targets are not
/// specialised, and cost several times as much.
extension PostgresBuffer {
    /// Appends a length or a count, most significant byte first.
    package mutating func append(count value: Int32) { append(value) }

    /// Appends the number of columns, with which a row of COPY begins.
    package mutating func append(columnCount value: Int16) { append(value) }

    /// Appends a NULL field.
    package mutating func appendNull() { append(Int32(-1)) }

    /// Appends an `int8` field.
    package mutating func append(field value: Int64) {
        append(Int32(8))
        append(value)
    }

    /// Appends an `int4` field.
    package mutating func append(field value: Int32) {
        append(Int32(4))
        append(value)
    }

    /// Appends a `uuid` field.
    package mutating func append(field value: UUID) {
        append(Int32(16))
        unsafe withUnsafeBytes(of: value.uuid) { unsafe append(bytes: $0) }
    }

    /// Appends a `text` field.
    package mutating func append(field value: String) {
        append(Int32(clamping: value.utf8.count))
        append(bytes: value.utf8)
    }

    /// Appends a `timestamptz` field.
    package mutating func append(field value: PostgresTimestamp) {
        append(Int32(8))
        append(value.microseconds)
    }

    /// Appends a field whose binary form is a range of `bytes`, after an optional first byte.
    ///
    /// - Parameter prefix: The byte before the others, such as the version of a `jsonb`.
    package mutating func append(
        field bytes: Span<UInt8>,
        in range: Range<Int>,
        prefix: UInt8? = nil
    ) {
        append(Int32(clamping: range.count + (prefix == nil ? 0 : 1)))
        if let prefix { append(prefix) }
        append(bytes, in: range)
    }

    /// Appends a range of `bytes` as they are.
    package mutating func append(_ bytes: Span<UInt8>, in range: Range<Int>) {
        unsafe bytes.extracting(range).withUnsafeBytes { unsafe append(bytes: $0) }
    }

    /// Appends a `numeric` field from a JSON number, or from text that holds a number.
    ///
    /// - Returns: `false` if it is not a number, or one that no read model takes; then nothing was appended.
    package mutating func append(decimalField bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
        if let short = ShortDecimal(bytes, in: range) {
            short.append(to: &self)
            return true
        }
        let text = unsafe bytes.extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        guard let decimal = PostgresDecimal(text), decimal.isSummable else { return false }
        append(field: decimal)
        return true
    }
}
