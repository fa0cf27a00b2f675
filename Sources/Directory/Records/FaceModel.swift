public import EventModel

internal import Postgres

/// A face that a user is shown with.
public struct FaceModel: StoredEntity, Hashable {
    /// The model.
    public let id: EntityID<FaceModel>
    /// The user it belongs to.
    public let userID: StreamID
    /// The model's path.
    public let modelPath: String
    /// The width of its pictures, in pixels.
    public let width: Int
    /// The height of its pictures, in pixels.
    public let height: Int
    /// Its quality, 0 … 1.
    public let qualityScore: Double?
    /// Whether it is in use; at most one face of a user is.
    public let isActive: Bool
    /// How many times the row was written.
    public let version: Int
    /// When it was created.
    public let createdAt: Timestamp
    /// When the row was written last.
    public let updatedAt: Timestamp
    /// When it was soft-deleted.
    public let deletedAt: Timestamp?

    /// A new face of the acting user.
    public struct Draft: Sendable {
        /// Its id.
        public var id: EntityID<FaceModel>
        /// The model's path.
        public var modelPath: String
        /// The width of its pictures, in pixels.
        public var width: Int
        /// The height of its pictures, in pixels.
        public var height: Int
        /// Its quality, 0 … 1.
        public var qualityScore: Double?
        /// Whether it is in use.
        public var isActive: Bool

        /// Makes a draft.
        public init(
            id: EntityID<FaceModel> = .generate(),
            modelPath: String,
            width: Int,
            height: Int,
            qualityScore: Double? = nil,
            isActive: Bool = false
        ) {
            self.id = id
            self.modelPath = modelPath
            self.width = width
            self.height = height
            self.qualityScore = qualityScore
            self.isActive = isActive
        }
    }

    /// The columns of `face_models`.
    public struct Columns: Sendable {
        /// `id`
        public let id = Column<FaceModel, EntityID<FaceModel>>("id")
        /// `user_id`
        public let userID = Column<FaceModel, StreamID>("user_id")
        /// `model_path`
        public let modelPath = Column<FaceModel, String>("model_path", isPersonal: true)
        /// `width`
        public let width = Column<FaceModel, Int>("width")
        /// `height`
        public let height = Column<FaceModel, Int>("height")
        /// `quality_score`
        public let qualityScore = Column<FaceModel, Double?>("quality_score")
        /// `is_active`
        public let isActive = Column<FaceModel, Bool>("is_active")
        /// `version`
        public let version = Column<FaceModel, Int>("version")
        /// `created_at`
        public let createdAt = Column<FaceModel, Timestamp>("created_at")
        /// `updated_at`
        public let updatedAt = Column<FaceModel, Timestamp>("updated_at")
        /// `deleted_at`
        public let deletedAt = Column<FaceModel, Timestamp?>("deleted_at")
    }

    /// What an update may set.
    public struct Settable: Sendable {
        /// ``Columns/modelPath``
        public let modelPath = SettableColumn(columns.modelPath)
        /// ``Columns/width``
        public let width = SettableColumn(columns.width)
        /// ``Columns/height``
        public let height = SettableColumn(columns.height)
        /// ``Columns/qualityScore``
        public let qualityScore = SettableColumn(columns.qualityScore)
        /// ``Columns/isActive``
        public let isActive = SettableColumn(columns.isActive)
    }

    /// The columns that queries may name.
    public static let columns = Columns()
    /// The columns that an update may set.
    public static let settable = Settable()

    /// `face_models`
    public static let table = Table<FaceModel>(
        name: "face_models",
        noun: "face_model",
        columns: (
            columns.id, columns.userID, columns.modelPath, columns.width, columns.height, columns.qualityScore,
            columns.isActive, columns.version, columns.createdAt, columns.updatedAt, columns.deletedAt
        ),
        make: FaceModel.init,
        key: [("id", "uuid")],
        keyValues: { [BoundValue($0.uuid)] },
        deletedAt: "deleted_at",
        sort: columns.createdAt.descending
    )

    /// `face_model.created`, `face_model.activated` …
    public static let kind = EntityKind<FaceModel>(
        creation: "created",
        id: { draft, _ in draft.id },
        assignments: { draft in
            [
                settable.modelPath.set(draft.modelPath), settable.width.set(draft.width),
                settable.height.set(draft.height), settable.qualityScore.set(draft.qualityScore),
                settable.isActive.set(draft.isActive),
            ]
        },
        owner: columns.userID,
        update: { $0.isActive && $1.contains("is_active") ? "activated" : "updated" }
    )
}
