public import EventModel
public import FoundationEssentials

internal import Postgres

/// A type that a column can have.
public protocol ColumnValue: Sendable {
    /// How its values are sent, read and shown.
    static var coding: ColumnCoding<Self> { get }
}

extension String: ColumnValue {
    /// `text`
    public static var coding: ColumnCoding<String> {
        ColumnCoding(String.self, to: { $0 }, from: { $0 }, json: { .string($0) })
    }
}

extension Bool: ColumnValue {
    /// `boolean`
    public static var coding: ColumnCoding<Bool> {
        ColumnCoding(Bool.self, to: { $0 }, from: { $0 }, json: { .bool($0) })
    }
}

extension Int: ColumnValue {
    /// `integer` and `bigint`
    public static var coding: ColumnCoding<Int> {
        ColumnCoding(Int.self, to: { $0 }, from: { $0 }, json: { .number(String($0)) })
    }
}

extension Int64: ColumnValue {
    /// `bigint`
    public static var coding: ColumnCoding<Int64> {
        ColumnCoding(Int64.self, to: { $0 }, from: { $0 }, json: { .number(String($0)) })
    }
}

extension Double: ColumnValue {
    /// `double precision`
    public static var coding: ColumnCoding<Double> {
        ColumnCoding(Double.self, to: { $0 }, from: { $0 }, json: { $0.isFinite ? .number("\($0)") : .null })
    }
}

extension UUID: ColumnValue {
    /// `uuid`
    public static var coding: ColumnCoding<UUID> {
        ColumnCoding(UUID.self, to: { $0 }, from: { $0 }, json: { .string($0.text) })
    }
}

extension StreamID: ColumnValue {
    /// `uuid`
    public static var coding: ColumnCoding<StreamID> {
        ColumnCoding(UUID.self, to: \.uuid, from: { StreamID($0) }, json: { .string($0.description) })
    }
}

extension EventID: ColumnValue {
    /// `uuid`
    public static var coding: ColumnCoding<EventID> {
        ColumnCoding(UUID.self, to: \.uuid, from: { EventID($0) }, json: { .string($0.description) })
    }
}

extension Timestamp: ColumnValue {
    /// `timestamptz`
    public static var coding: ColumnCoding<Timestamp> {
        ColumnCoding(
            PostgresTimestamp.self,
            to: { PostgresTimestamp(unixMicroseconds: $0.microseconds) },
            from: { Timestamp(microseconds: $0.unixMicroseconds) },
            json: { .string($0.description) }
        )
    }
}

extension Money: ColumnValue {
    /// `numeric`
    public static var coding: ColumnCoding<Money> {
        ColumnCoding(
            PostgresDecimal.self,
            to: { PostgresDecimal($0.text) ?? .zero },
            from: { Money($0.description) },
            json: { .string($0.text) }
        )
    }
}

extension JSONValue: ColumnValue {
    /// `jsonb`
    public static var coding: ColumnCoding<JSONValue> {
        ColumnCoding(
            PostgresJSON.self,
            to: { PostgresJSON($0.json) },
            from: { try? JSONValue(json: $0.bytes) },
            json: { $0 }
        )
    }
}

extension Array: ColumnValue where Element == String {
    /// `text[]`
    public static var coding: ColumnCoding<[String]> {
        ColumnCoding([String].self, to: { $0 }, from: { $0 }, json: { .array($0.map { .string($0) }) })
    }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
    /// The same type, where NULL is allowed.
    public static var coding: ColumnCoding<Wrapped?> { Wrapped.coding.optional }
}

extension ColumnValue where Self: RawRepresentable, RawValue == String {
    /// `text`, one of the words that the type knows.
    public static var coding: ColumnCoding<Self> {
        ColumnCoding(String.self, to: \.rawValue, from: { Self(rawValue: $0) }, json: { .string($0.rawValue) })
    }
}
