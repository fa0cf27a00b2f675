internal import EventModel
internal import FoundationEssentials
internal import Postgres

/// The SQL type of a column that a projection declares, and how a JSON value becomes its binary form.
package enum FieldType: String, Hashable, Sendable, CaseIterable {
    case text
    case uuid
    case boolean
    case smallint
    case integer
    case bigint
    case doublePrecision = "double precision"
    case numeric
    case timestamptz
    case jsonb

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
        case .uuid: return Self.append(value.string(in: bytes).flatMap { StreamID($0)?.uuid }, to: &buffer)
        case .boolean: return Self.append(value.bool, to: &buffer)
        case .smallint: return Self.append(value.integer(in: bytes).flatMap { Int16(exactly: $0) }, to: &buffer)
        case .integer: return Self.append(value.integer(in: bytes).flatMap { Int32(exactly: $0) }, to: &buffer)
        case .bigint: return Self.append(value.integer(in: bytes), to: &buffer)
        case .doublePrecision: return Self.append(value.double(in: bytes), to: &buffer)
        case .numeric: return Self.append(Self.decimal(value, in: bytes), to: &buffer)
        case .timestamptz: return Self.append(Self.timestamp(value, in: bytes), to: &buffer)
        case .jsonb: return Self.append(PostgresJSON(value.bytes(in: bytes)), to: &buffer)
        }
    }

    private func appendText(_ value: JSONSlice, in bytes: Span<UInt8>, to buffer: inout PostgresBuffer) -> Bool {
        guard value.kind == .string else { return false }
        var text: [UInt8] = []
        value.appendUTF8(in: bytes, to: &text)
        buffer.append(Int32(text.count))
        buffer.append(bytes: text)
        return true
    }

    private static func append(_ value: (some PostgresEncodable)?, to buffer: inout PostgresBuffer) -> Bool {
        guard let value else { return false }
        buffer.append(field: value)
        return true
    }

    /// Money is a JSON number or a string that holds one; no digit is lost either way.
    private static func decimal(_ value: JSONSlice, in bytes: Span<UInt8>) -> PostgresDecimal? {
        switch value.kind {
        case .number, .string: PostgresDecimal(value.string(in: bytes) ?? value.text(in: bytes))
        default: nil
        }
    }

    private static func timestamp(_ value: JSONSlice, in bytes: Span<UInt8>) -> PostgresTimestamp? {
        value.string(in: bytes).flatMap { Timestamp($0) }.map {
            PostgresTimestamp(unixMicroseconds: $0.microseconds)
        }
    }
}
