public import EventModel

internal import Postgres

/// A person the voice system serves. The user's stream in the log has the same id.
public struct User: StoredEntity, Hashable {
    /// What a user pays for.
    public enum Tier: String, Sendable, CaseIterable, ColumnValue {
        case free, pro, enterprise
    }

    /// The user.
    public let id: EntityID<User>
    /// The email address as given; no two users' addresses differ only in case.
    public let email: String
    /// What the agent should be like with this user.
    public let personalityTraits: [String]
    /// What the user pays for.
    public let subscriptionTier: Tier
    /// The user's settings: a JSON object.
    public let settings: JSONValue
    /// How many times the row was written.
    public let version: Int
    /// When the user was registered.
    public let createdAt: Timestamp
    /// When the row was written last.
    public let updatedAt: Timestamp
    /// When the user was soft-deleted.
    public let deletedAt: Timestamp?

    /// The user's id in the log and in sessions.
    public var stream: StreamID { StreamID(id.uuid) }

    /// A new user, who gets the acting user's id: users register themselves.
    public struct Draft: Sendable {
        /// The email address.
        public var email: String
        /// What the agent should be like with this user.
        public var personalityTraits: [String]
        /// What the user pays for.
        public var subscriptionTier: Tier
        /// The user's settings: a JSON object.
        public var settings: JSONValue

        /// Makes a draft.
        public init(
            email: String,
            personalityTraits: [String] = [],
            subscriptionTier: Tier = .free,
            settings: JSONValue = .object([])
        ) {
            self.email = email
            self.personalityTraits = personalityTraits
            self.subscriptionTier = subscriptionTier
            self.settings = settings
        }
    }

    /// The columns of `users`.
    public struct Columns: Sendable {
        /// `id`
        public let id = Column<User, EntityID<User>>("id")
        /// `email`
        public let email = Column<User, String>("email", isPersonal: true)
        /// `personality_traits`
        public let personalityTraits = Column<User, [String]>("personality_traits", isPersonal: true)
        /// `subscription_tier`
        public let subscriptionTier = Column<User, Tier>("subscription_tier")
        /// `settings`
        public let settings = Column<User, JSONValue>("settings", isPersonal: true)
        /// `version`
        public let version = Column<User, Int>("version")
        /// `created_at`
        public let createdAt = Column<User, Timestamp>("created_at")
        /// `updated_at`
        public let updatedAt = Column<User, Timestamp>("updated_at")
        /// `deleted_at`
        public let deletedAt = Column<User, Timestamp?>("deleted_at")
    }

    /// What an update may set.
    public struct Settable: Sendable {
        /// ``Columns/email``
        public let email = SettableColumn(columns.email)
        /// ``Columns/personalityTraits``
        public let personalityTraits = SettableColumn(columns.personalityTraits)
        /// ``Columns/subscriptionTier``
        public let subscriptionTier = SettableColumn(columns.subscriptionTier)
        /// ``Columns/settings``
        public let settings = SettableColumn(columns.settings)
    }

    /// The columns that queries may name.
    public static let columns = Columns()
    /// The columns that an update may set.
    public static let settable = Settable()

    /// `users`
    public static let table = Table<User>(
        name: "users",
        noun: "user",
        columns: (
            columns.id, columns.email, columns.personalityTraits, columns.subscriptionTier, columns.settings,
            columns.version, columns.createdAt, columns.updatedAt, columns.deletedAt
        ),
        make: User.init,
        key: [("id", "uuid")],
        keyValues: { [BoundValue($0.uuid)] },
        deletedAt: "deleted_at",
        sort: columns.createdAt.descending
    )

    /// `user.registered`, `user.updated` …
    public static let kind = EntityKind<User>(
        creation: "registered",
        id: { _, user in EntityID(user.uuid) },
        assignments: { draft in
            [
                settable.email.set(draft.email), settable.personalityTraits.set(draft.personalityTraits),
                settable.subscriptionTier.set(draft.subscriptionTier), settable.settings.set(draft.settings),
            ]
        },
        owner: nil,
        update: { _, _ in "updated" }
    )
}
