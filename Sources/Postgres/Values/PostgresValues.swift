/// The bytes of a `bytea`.
package struct PostgresBytea: Hashable, PostgresEncodable, PostgresDecodable {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package static var postgresType: PostgresType { .bytea }
    package static func accepts(_ type: PostgresType) -> Bool { type == .bytea }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(bytes: bytes)
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes else { return nil }
        self.bytes = unsafe Array(bytes)
    }
}

/// The UTF-8 text of a JSON value; sent as `jsonb`, read from `json` and `jsonb`.
package struct PostgresJSON: Hashable, PostgresEncodable, PostgresDecodable {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(_ text: String) { bytes = Array(text.utf8) }

    /// The text of the value.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package static var postgresType: PostgresType { .jsonb }
    package static func accepts(_ type: PostgresType) -> Bool { type == .jsonb || type == .json }

    /// The version of jsonb's binary form; the text follows.
    ///
    /// Source: `jsonb_recv` in PostgreSQL's `src/backend/utils/adt/jsonb.c`.
    package static let jsonbVersion: UInt8 = 1

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(Self.jsonbVersion)
        buffer.append(bytes: bytes)
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes else { return nil }
        guard type == .jsonb else {
            self.bytes = unsafe Array(bytes)
            return
        }
        guard unsafe bytes.first == Self.jsonbVersion else { return nil }
        self.bytes = unsafe Array(bytes.dropFirst())
    }
}

/// A `timestamptz`: microseconds since 2000-01-01 00:00 UTC, with `infinity` and `-infinity` at the ends.
package struct PostgresTimestamp: Hashable, Comparable, PostgresEncodable, PostgresDecodable {
    /// Microseconds since 2000-01-01 00:00 UTC.
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// Microseconds from 1970-01-01 to 2000-01-01, both UTC.
    private static let unixOffset: Int64 = 946_684_800_000_000

    /// Later than every moment.
    package static let infinity = PostgresTimestamp(microseconds: .max)
    /// Earlier than every moment.
    package static let negativeInfinity = PostgresTimestamp(microseconds: .min)

    /// The first moment that the server can store: 4714-11-24 00:00 UTC BC, Julian day 0.
    ///
    /// Source: `MIN_TIMESTAMP` in PostgreSQL's `src/include/datatype/timestamp.h`.
    private static let first: Int64 = -211_813_488_000_000_000

    /// Converts microseconds since 1970-01-01 UTC; a time before the server's range becomes `-infinity`, and
    /// `Int64.max` becomes `infinity`.
    package init(unixMicroseconds: Int64) {
        let (difference, overflows) = unixMicroseconds.subtractingReportingOverflow(Self.unixOffset)
        if unixMicroseconds == .max {
            self = .infinity
        } else if overflows || difference < Self.first {
            self = .negativeInfinity
        } else {
            microseconds = difference
        }
    }

    /// Microseconds since 1970-01-01 UTC; `Int64.min` for `-infinity`, and `Int64.max` for `infinity` and for times
    /// after the year 294246, which do not fit.
    package var unixMicroseconds: Int64 {
        if self == .negativeInfinity { return .min }
        let (sum, overflows) = microseconds.addingReportingOverflow(Self.unixOffset)
        return overflows ? .max : sum
    }

    package static var postgresType: PostgresType { .timestamptz }
    package static func accepts(_ type: PostgresType) -> Bool { type == .timestamptz }

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(microseconds)
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let value = unsafe bytes?.integer(Int64.self, at: 0) else { return nil }
        microseconds = value
    }
}

/// A transaction's 64-bit identifier, which never wraps around.
package struct PostgresXID8: Hashable, Comparable, PostgresEncodable, PostgresDecodable {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    package static var postgresType: PostgresType { .xid8 }
    package static func accepts(_ type: PostgresType) -> Bool { type == .xid8 }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(value)
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let value = unsafe bytes?.integer(UInt64.self, at: 0) else { return nil }
        self.value = value
    }
}
