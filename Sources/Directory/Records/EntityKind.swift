internal import EventModel

/// How entities of a kind are made, and which events tell of their changes.
public struct EntityKind<Entity: StoredEntity>: Sendable {
    /// The verb of the event that tells of a new one.
    let creation: String
    /// The id of a new one.
    let id: @Sendable (Entity.Draft, StreamID) -> EntityID<Entity>
    /// The columns of a new one, beside id and user.
    let assignments: @Sendable (Entity.Draft) -> [Assignment<Entity>]
    /// The column that says whose it is; nil if it is the user.
    let owner: Column<Entity, StreamID>?
    /// The verb of the event that tells of an update, from what it leaves behind and what it set.
    let update: @Sendable (Entity, Set<String>) -> String

    /// The columns of a new one.
    func row(_ draft: Entity.Draft, of user: StreamID) -> [Assignment<Entity>] {
        var row = [Assignment(Column<Entity, EntityID<Entity>>("id"), id(draft, user))]
        if let owner { row.append(Assignment(owner, user)) }
        return row + assignments(draft)
    }
}
