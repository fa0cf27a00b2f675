internal import EventModel

/// How entities of a kind are made, and which events record their changes.
public struct EntityKind<Entity: StoredEntity>: Sendable {
    /// The verb of the event for a new entity.
    let creation: String
    /// The id of a new entity.
    let id: @Sendable (Entity.Draft, StreamID) -> EntityID<Entity>
    /// The columns of a new entity, except its id and user.
    let assignments: @Sendable (Entity.Draft) -> [Assignment<Entity>]
    /// The column of the owning user; nil if the entity is the user.
    let owner: Column<Entity, StreamID>?
    /// The verb of the event for an update, from the updated entity and the columns that were set.
    let update: @Sendable (Entity, Set<String>) -> String

    /// All columns of a new entity.
    func row(_ draft: Entity.Draft, of user: StreamID) -> [Assignment<Entity>] {
        var row = [Assignment(Column<Entity, EntityID<Entity>>("id"), id(draft, user))]
        if let owner { row.append(Assignment(owner, user)) }
        return row + assignments(draft)
    }
}
