package import FoundationEssentials

/// Readers for known column types, of which other targets read thousands. Generic calls across targets are not
/// specialised, and cost several times as much.
extension PostgresRow {
    /// Reads an `int8`; throws as ``decode(_:at:)``.
    package func int64(at column: Int) throws(PostgresError) -> Int64 { try decode(Int64.self, at: column) }

    /// Reads an `int4`; throws as ``decode(_:at:)``.
    package func int32(at column: Int) throws(PostgresError) -> Int32 { try decode(Int32.self, at: column) }

    /// Reads an `int2`; throws as ``decode(_:at:)``.
    package func int16(at column: Int) throws(PostgresError) -> Int16 { try decode(Int16.self, at: column) }

    /// Reads a `uuid`; throws as ``decode(_:at:)``.
    package func uuid(at column: Int) throws(PostgresError) -> UUID { try decode(UUID.self, at: column) }

    /// Reads a `timestamptz` as microseconds since 1970-01-01 UTC; throws as ``decode(_:at:)``.
    package func unixMicroseconds(at column: Int) throws(PostgresError) -> Int64 {
        try decode(PostgresTimestamp.self, at: column).unixMicroseconds
    }

    /// Reads a `bytea`; throws as ``decode(_:at:)``.
    package func bytes(at column: Int) throws(PostgresError) -> [UInt8] {
        try decode(PostgresBytea.self, at: column).bytes
    }
}
