internal import EventModel
internal import FoundationEssentials
internal import Postgres
internal import Schema

/// How a JSON value becomes the binary form of a declared column.
extension FieldType {
    /// The server's type.
    var postgresType: PostgresType {
        switch self {
        case .text: .text
        case .uuid: .uuid
        case .boolean: .bool
        case .smallint: .int2
        case .integer: .int4
        case .bigint: .int8
        case .doublePrecision: .float8
        case .numeric: .numeric
        case .timestamptz: .timestamptz
        case .jsonb: .jsonb
        }
    }

    /// Appends a JSON value as a field: its length, then its binary form; JSON's null is NULL.
    ///
    /// - Returns: `false` if the value does not fit the type; then nothing was appended.
    func append(_ value: JSONSlice, in bytes: Span<UInt8>, to buffer: inout PostgresBuffer) -> Bool {
        guard value.kind != .null else {
            buffer.append(Int32(-1))
            return true
        }
        switch self {
        case .text: return appendText(value, in: bytes, to: &buffer)
        case .uuid:
            guard let uuid = Self.uuid(value, in: bytes) else { return false }
            buffer.append(field: uuid)
        case .bigint:
            guard let integer = value.wholeNumber(in: bytes) else { return false }
            buffer.append(field: Int64(integer))
        case .integer:
            guard let integer = value.wholeNumber(in: bytes).flatMap({ Int32(exactly: $0) }) else { return false }
            buffer.append(field: integer)
        case .numeric:
            // Money is a JSON number or a string that holds one; no digit is lost either way.
            return appendDecimal(value, in: bytes, to: &buffer)
        case .jsonb: buffer.append(field: bytes, in: value.range, prefix: PostgresJSON.jsonbVersion)
        case .boolean: return Self.append(value.bool, to: &buffer)
        case .smallint: return Self.append(value.wholeNumber(in: bytes).flatMap { Int16(exactly: $0) }, to: &buffer)
        case .doublePrecision: return Self.append(value.double(in: bytes), to: &buffer)
        case .timestamptz: return Self.append(Self.timestamp(value, in: bytes), to: &buffer)
        }
        return true
    }

    private func appendText(_ value: JSONSlice, in bytes: Span<UInt8>, to buffer: inout PostgresBuffer) -> Bool {
        guard value.kind == .string else { return false }
        guard value.hasEscapes else {
            buffer.append(field: bytes, in: value.content)
            return true
        }
        var text: [UInt8] = []
        value.appendUTF8(in: bytes, to: &text)
        buffer.append(field: text.span, in: 0..<text.count)
        return true
    }

    private func appendDecimal(_ value: JSONSlice, in bytes: Span<UInt8>, to buffer: inout PostgresBuffer) -> Bool {
        switch value.kind {
        case .number: return buffer.append(decimalField: bytes, in: value.range)
        case .string where !value.hasEscapes: return buffer.append(decimalField: bytes, in: value.content)
        case .string:
            let decimal = value.string(in: bytes).flatMap { PostgresDecimal($0) }
            return Self.append(decimal.flatMap { $0.isSummable ? $0 : nil }, to: &buffer)
        default: return false
        }
    }

    private static func append(_ value: (some PostgresEncodable)?, to buffer: inout PostgresBuffer) -> Bool {
        guard let value else { return false }
        buffer.append(field: value)
        return true
    }

    private static func uuid(_ value: JSONSlice, in bytes: Span<UInt8>) -> UUID? {
        guard value.kind == .string else { return nil }
        guard value.hasEscapes else { return UUID(ascii: bytes, in: value.content) }
        return value.string(in: bytes).flatMap { UUID(text: $0) }
    }

    private static func timestamp(_ value: JSONSlice, in bytes: Span<UInt8>) -> PostgresTimestamp? {
        value.string(in: bytes).flatMap { Timestamp($0) }.map {
            PostgresTimestamp(unixMicroseconds: $0.microseconds)
        }
    }
}
