public import EventModel

internal import Postgres

/// A document that answers to its user may draw on.
public struct KnowledgeDocument: StoredEntity, Hashable {
    /// How far its processing has come.
    public enum Status: String, Sendable, CaseIterable, ColumnValue {
        case pending, processing, completed, failed

        /// Whether the database lets a document go from here to another status.
        public func canBecome(_ next: Status) -> Bool {
            switch (self, next) {
            case (.pending, .processing), (.pending, .failed), (.processing, .completed), (.processing, .failed),
                (.completed, .pending), (.failed, .pending):
                true
            default: self == next
            }
        }
    }

    /// The document.
    public let id: EntityID<KnowledgeDocument>
    /// The user it belongs to.
    public let userID: StreamID
    /// Its file name.
    public let filename: String
    /// Its media type.
    public let contentType: String
    /// Its text, at most 4 MiB.
    public let textContent: String
    /// How many pieces it was cut into.
    public let chunkCount: Int
    /// How far its processing has come.
    public let status: Status
    /// The pieces' names in the vector store.
    public let vectorIDs: [String]
    /// How many times the row was written.
    public let version: Int
    /// When it was uploaded.
    public let uploadedAt: Timestamp
    /// When the row was written last.
    public let updatedAt: Timestamp
    /// When it was soft-deleted.
    public let deletedAt: Timestamp?

    /// A new document of the acting user; it is pending.
    public struct Draft: Sendable {
        /// Its id.
        public var id: EntityID<KnowledgeDocument>
        /// Its file name.
        public var filename: String
        /// Its media type.
        public var contentType: String
        /// Its text, at most 4 MiB.
        public var textContent: String
        /// How many pieces it was cut into.
        public var chunkCount: Int
        /// The pieces' names in the vector store.
        public var vectorIDs: [String]

        /// Makes a draft.
        public init(
            id: EntityID<KnowledgeDocument> = .generate(),
            filename: String,
            contentType: String = "text/plain",
            textContent: String,
            chunkCount: Int = 0,
            vectorIDs: [String] = []
        ) {
            self.id = id
            self.filename = filename
            self.contentType = contentType
            self.textContent = textContent
            self.chunkCount = chunkCount
            self.vectorIDs = vectorIDs
        }
    }

    /// The columns of `knowledge_documents`.
    public struct Columns: Sendable {
        /// `id`
        public let id = Column<KnowledgeDocument, EntityID<KnowledgeDocument>>("id")
        /// `user_id`
        public let userID = Column<KnowledgeDocument, StreamID>("user_id")
        /// `filename`
        public let filename = Column<KnowledgeDocument, String>("filename", isPersonal: true)
        /// `content_type`
        public let contentType = Column<KnowledgeDocument, String>("content_type")
        /// `text_content`
        public let textContent = Column<KnowledgeDocument, String>("text_content", isPersonal: true)
        /// `chunk_count`
        public let chunkCount = Column<KnowledgeDocument, Int>("chunk_count")
        /// `status`
        public let status = Column<KnowledgeDocument, Status>("status")
        /// `vector_ids`
        public let vectorIDs = Column<KnowledgeDocument, [String]>("vector_ids", isPersonal: true)
        /// `version`
        public let version = Column<KnowledgeDocument, Int>("version")
        /// `uploaded_at`
        public let uploadedAt = Column<KnowledgeDocument, Timestamp>("uploaded_at")
        /// `updated_at`
        public let updatedAt = Column<KnowledgeDocument, Timestamp>("updated_at")
        /// `deleted_at`
        public let deletedAt = Column<KnowledgeDocument, Timestamp?>("deleted_at")
    }

    /// What an update may set.
    public struct Settable: Sendable {
        /// ``Columns/filename``
        public let filename = SettableColumn(columns.filename)
        /// ``Columns/contentType``
        public let contentType = SettableColumn(columns.contentType)
        /// ``Columns/textContent``
        public let textContent = SettableColumn(columns.textContent)
        /// ``Columns/chunkCount``
        public let chunkCount = SettableColumn(columns.chunkCount)
        /// ``Columns/status``
        public let status = SettableColumn(columns.status)
        /// ``Columns/vectorIDs``
        public let vectorIDs = SettableColumn(columns.vectorIDs)
    }

    /// The columns that queries may name.
    public static let columns = Columns()
    /// The columns that an update may set.
    public static let settable = Settable()

    /// `knowledge_documents`
    public static let table = Table<KnowledgeDocument>(
        name: "knowledge_documents",
        noun: "document",
        columns: (
            columns.id, columns.userID, columns.filename, columns.contentType, columns.textContent,
            columns.chunkCount, columns.status, columns.vectorIDs, columns.version, columns.uploadedAt,
            columns.updatedAt, columns.deletedAt
        ),
        make: KnowledgeDocument.init,
        key: [("id", "uuid")],
        keyValues: { [BoundValue($0.uuid)] },
        deletedAt: "deleted_at",
        sort: columns.uploadedAt.descending
    )

    /// `document.created`, `document.processed` …
    public static let kind = EntityKind<KnowledgeDocument>(
        creation: "created",
        id: { draft, _ in draft.id },
        assignments: { draft in
            [
                settable.filename.set(draft.filename), settable.contentType.set(draft.contentType),
                settable.textContent.set(draft.textContent), settable.chunkCount.set(draft.chunkCount),
                settable.vectorIDs.set(draft.vectorIDs),
            ]
        },
        owner: columns.userID,
        update: { $0.status == .completed && $1.contains("status") ? "processed" : "updated" }
    )
}
