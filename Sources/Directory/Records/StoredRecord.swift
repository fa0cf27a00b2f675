/// A row that a repository reads.
public protocol StoredRecord: Sendable {
    /// The key, which is unique among records of this kind.
    associatedtype ID: Hashable & Sendable
    /// The columns that queries may name.
    associatedtype Columns: Sendable
    /// The columns that queries may name.
    static var columns: Columns { get }
    /// The table or view that holds the records.
    static var table: Table<Self> { get }
    /// The key, which is unique among records of this kind.
    var id: ID { get }
}
