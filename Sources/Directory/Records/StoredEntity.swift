public import EventModel

/// A row that a repository writes: a user, or something that belongs to one.
public protocol StoredEntity: StoredRecord where ID == EntityID<Self> {
    /// The values of a new entity.
    associatedtype Draft: Sendable
    /// The columns that an update may set.
    associatedtype Settable: Sendable
    /// The columns that an update may set.
    static var settable: Settable { get }
    /// How it is made, and which events record its changes.
    static var kind: EntityKind<Self> { get }
    /// How many times it was written; an update names the version it saw.
    var version: Int { get }
    /// When it was soft-deleted.
    var deletedAt: Timestamp? { get }
}
