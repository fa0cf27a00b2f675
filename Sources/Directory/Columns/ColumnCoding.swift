internal import EventModel

internal import Postgres

/// How values of a type are sent to the database, read from it, and shown in an event.
public struct ColumnCoding<Value: Sendable>: Sendable {
    /// The type of the column.
    let type: PostgresType
    /// Appends the binary form; false for NULL.
    let encode: @Sendable (Value, inout PostgresBuffer) -> Bool
    /// Several values as an array.
    let array: @Sendable ([Value]) -> BoundValue
    /// Reads a column.
    let decode: @Sendable (borrowing PostgresRow, Int) throws(PostgresError) -> Value
    /// Reads a column that may be NULL.
    let decodeOptional: @Sendable (borrowing PostgresRow, Int) throws(PostgresError) -> Value?
    /// The value as it appears in an event's data.
    let json: @Sendable (Value) -> JSONValue

    /// - Parameters:
    ///   - wire: The type that goes over the wire.
    ///   - toWire: Converts a value for the database.
    ///   - fromWire: Converts a value from the database; nil if this type has no such value.
    ///   - json: Writes a value for an event.
    init<Wire: PostgresEncodable & PostgresDecodable>(
        _ wire: Wire.Type,
        to toWire: @escaping @Sendable (Value) -> Wire,
        from fromWire: @escaping @Sendable (Wire) -> Value?,
        json: @escaping @Sendable (Value) -> JSONValue
    ) {
        @Sendable func checked(_ wire: Wire, at column: Int) throws(PostgresError) -> Value {
            guard let value = fromWire(wire) else {
                throw PostgresError(.decoding, "column \(column + 1) holds a value that is no \(Value.self)")
            }
            return value
        }
        type = Wire.postgresType
        encode = { toWire($0).encode(into: &$1) }
        array = { BoundValue($0.map(toWire)) }
        decode = { (row, column) throws(PostgresError) in
            try checked(try row.decode(Wire.self, at: column), at: column)
        }
        decodeOptional = { (row, column) throws(PostgresError) in
            guard let wire = try row.decode(Wire?.self, at: column) else { return nil }
            return try checked(wire, at: column)
        }
        self.json = json
    }
}

extension ColumnCoding {
    /// The same coding with NULL allowed.
    var optional: ColumnCoding<Value?> {
        ColumnCoding<Value?>(
            type: type,
            encode: { value, buffer in value.map { encode($0, &buffer) } ?? false },
            array: { array($0.compactMap(\.self)) },
            decode: decodeOptional,
            decodeOptional: { (row, column) throws(PostgresError) in .some(try decodeOptional(row, column)) },
            json: { $0.map(json) ?? .null }
        )
    }

    private init(
        type: PostgresType,
        encode: @escaping @Sendable (Value, inout PostgresBuffer) -> Bool,
        array: @escaping @Sendable ([Value]) -> BoundValue,
        decode: @escaping @Sendable (borrowing PostgresRow, Int) throws(PostgresError) -> Value,
        decodeOptional: @escaping @Sendable (borrowing PostgresRow, Int) throws(PostgresError) -> Value?,
        json: @escaping @Sendable (Value) -> JSONValue
    ) {
        self.type = type
        self.encode = encode
        self.array = array
        self.decode = decode
        self.decodeOptional = decodeOptional
        self.json = json
    }
}

/// A value in its binary form, to be sent as a parameter.
struct BoundValue: Sendable {
    /// The type that the server sees.
    let type: PostgresType
    /// The binary form; nil is NULL.
    let bytes: PostgresBuffer?

    init<Value: PostgresEncodable>(_ value: Value) {
        var buffer = PostgresBuffer()
        type = Value.postgresType
        bytes = value.encode(into: &buffer) ? buffer : nil
    }

    init<Value>(_ value: Value, _ coding: ColumnCoding<Value>) {
        var buffer = PostgresBuffer()
        type = coding.type
        bytes = coding.encode(value, &buffer) ? buffer : nil
    }
}
