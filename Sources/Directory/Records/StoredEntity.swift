public import EventModel

/// A row that a repository writes: a user, or what belongs to one.
public protocol StoredEntity: StoredRecord where ID == EntityID<Self> {
    /// What a new one is made of.
    associatedtype Draft: Sendable
    /// The columns that an update may set.
    associatedtype Settable: Sendable
    /// The columns that an update may set.
    static var settable: Settable { get }
    /// How it is made, and which events tell of it.
    static var kind: EntityKind<Self> { get }
    /// How often it was written; an update says which one it saw.
    var version: Int { get }
    /// When it was deleted softly.
    var deletedAt: Timestamp? { get }
}
