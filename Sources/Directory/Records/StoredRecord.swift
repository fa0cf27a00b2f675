/// A row that a repository reads.
public protocol StoredRecord: Sendable {
    /// What tells the record from others of its kind.
    associatedtype ID: Hashable & Sendable
    /// The columns that queries may name.
    associatedtype Columns: Sendable
    /// The columns that queries may name.
    static var columns: Columns { get }
    /// Where the records are.
    static var table: Table<Self> { get }
    /// What tells the record from others of its kind.
    var id: ID { get }
}
