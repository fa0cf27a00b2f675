package import Postgres

/// What a cache with a table holds: its keys, its values, and how a value is stored in a row.
package protocol CacheContent: Sendable {
    /// What a value is looked up by.
    associatedtype Key: Sendable
    /// What is cached.
    associatedtype Value: Sendable

    /// The kind, which names the table.
    static var kind: CacheKind { get }
    /// The columns that ``bind(_:_:into:)`` binds, in its order.
    static var storedColumns: [String] { get }
    /// The columns that ``decode(_:from:)`` reads, in its order; the first of them is never NULL in a row.
    static var valueColumns: [String] { get }

    /// The address of a key's value.
    static func address(of key: Key) -> CacheAddress
    /// How many bytes a value takes in memory.
    static func cost(of value: Value) -> Int
    /// Binds a value's columns.
    static func bind(_ key: Key, _ value: Value, into parameters: inout PostgresParameters) throws(PostgresError)
    /// Reads a value from a row's columns, the first of which is at `column`.
    static func decode(_ row: borrowing PostgresRow, from column: Int) throws(PostgresError) -> Value
}
