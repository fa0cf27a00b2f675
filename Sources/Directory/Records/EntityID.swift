internal import EventModel
public import FoundationEssentials

/// The id of an entity of one kind; the compiler takes no other kind's id in its place.
public struct EntityID<Entity>: Hashable, Comparable, Sendable, CustomStringConvertible, ColumnValue {
    /// The UUID itself.
    public let uuid: UUID

    /// Wraps a UUID of any version.
    public init(_ uuid: UUID) { self.uuid = uuid }

    /// Reads the 36 characters of RFC 9562's text form, in either case; nil for anything else.
    public init?(_ text: String) {
        guard let uuid = UUID(text: text) else { return nil }
        self.uuid = uuid
    }

    /// Makes a new id, a UUIDv7 of this moment.
    public static func generate() -> EntityID { EntityID(UUID(version7At: .now())) }

    /// The text form, lower case.
    public var description: String { uuid.text }

    /// Orders ids as the database does.
    public static func < (left: EntityID, right: EntityID) -> Bool {
        (left.uuid.high, left.uuid.low) < (right.uuid.high, right.uuid.low)
    }

    /// `uuid`
    public static var coding: ColumnCoding<EntityID> {
        ColumnCoding(UUID.self, to: \.uuid, from: { EntityID($0) }, json: { .string($0.description) })
    }
}
