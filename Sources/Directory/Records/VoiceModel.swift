public import EventModel

internal import Postgres

/// A voice that a user speaks with.
public struct VoiceModel: StoredEntity, Hashable {
    /// The provider that synthesizes with it.
    public enum Provider: String, Sendable, CaseIterable, ColumnValue {
        case xtts = "xtts-v2"
        case google = "google-cloud-tts"
        case openAI = "openai-tts"
    }

    /// The model.
    public let id: EntityID<VoiceModel>
    /// The user it belongs to.
    public let userID: StreamID
    /// The provider that synthesizes with it.
    public let provider: Provider
    /// The model's path.
    public let modelPath: String
    /// Its quality, 0 … 1.
    public let qualityScore: Double?
    /// Whether it is in use; at most one voice of a user is.
    public let isActive: Bool
    /// How many times the row was written.
    public let version: Int
    /// When it was created.
    public let createdAt: Timestamp
    /// When the row was written last.
    public let updatedAt: Timestamp
    /// When it was soft-deleted.
    public let deletedAt: Timestamp?

    /// A new voice of the acting user.
    public struct Draft: Sendable {
        /// Its id.
        public var id: EntityID<VoiceModel>
        /// The provider that synthesizes with it.
        public var provider: Provider
        /// The model's path.
        public var modelPath: String
        /// Its quality, 0 … 1.
        public var qualityScore: Double?
        /// Whether it is in use.
        public var isActive: Bool

        /// Makes a draft.
        public init(
            id: EntityID<VoiceModel> = .generate(),
            provider: Provider,
            modelPath: String,
            qualityScore: Double? = nil,
            isActive: Bool = false
        ) {
            self.id = id
            self.provider = provider
            self.modelPath = modelPath
            self.qualityScore = qualityScore
            self.isActive = isActive
        }
    }

    /// The columns of `voice_models`.
    public struct Columns: Sendable {
        /// `id`
        public let id = Column<VoiceModel, EntityID<VoiceModel>>("id")
        /// `user_id`
        public let userID = Column<VoiceModel, StreamID>("user_id")
        /// `provider`
        public let provider = Column<VoiceModel, Provider>("provider")
        /// `model_path`
        public let modelPath = Column<VoiceModel, String>("model_path", isPersonal: true)
        /// `quality_score`
        public let qualityScore = Column<VoiceModel, Double?>("quality_score")
        /// `is_active`
        public let isActive = Column<VoiceModel, Bool>("is_active")
        /// `version`
        public let version = Column<VoiceModel, Int>("version")
        /// `created_at`
        public let createdAt = Column<VoiceModel, Timestamp>("created_at")
        /// `updated_at`
        public let updatedAt = Column<VoiceModel, Timestamp>("updated_at")
        /// `deleted_at`
        public let deletedAt = Column<VoiceModel, Timestamp?>("deleted_at")
    }

    /// What an update may set.
    public struct Settable: Sendable {
        /// ``Columns/provider``
        public let provider = SettableColumn(columns.provider)
        /// ``Columns/modelPath``
        public let modelPath = SettableColumn(columns.modelPath)
        /// ``Columns/qualityScore``
        public let qualityScore = SettableColumn(columns.qualityScore)
        /// ``Columns/isActive``
        public let isActive = SettableColumn(columns.isActive)
    }

    /// The columns that queries may name.
    public static let columns = Columns()
    /// The columns that an update may set.
    public static let settable = Settable()

    /// `voice_models`
    public static let table = Table<VoiceModel>(
        name: "voice_models",
        noun: "voice_model",
        columns: (
            columns.id, columns.userID, columns.provider, columns.modelPath, columns.qualityScore, columns.isActive,
            columns.version, columns.createdAt, columns.updatedAt, columns.deletedAt
        ),
        make: VoiceModel.init,
        key: [("id", "uuid")],
        keyValues: { [BoundValue($0.uuid)] },
        deletedAt: "deleted_at",
        sort: columns.createdAt.descending
    )

    /// `voice_model.created`, `voice_model.activated` …
    public static let kind = EntityKind<VoiceModel>(
        creation: "created",
        id: { draft, _ in draft.id },
        assignments: { draft in
            [
                settable.provider.set(draft.provider), settable.modelPath.set(draft.modelPath),
                settable.qualityScore.set(draft.qualityScore), settable.isActive.set(draft.isActive),
            ]
        },
        owner: columns.userID,
        update: { $0.isActive && $1.contains("is_active") ? "activated" : "updated" }
    )
}
