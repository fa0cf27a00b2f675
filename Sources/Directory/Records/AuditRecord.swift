public import EventModel

internal import Postgres

/// One audited event about the acting user, as the projector built it from the log.
///
/// `AuditEntry` of the module `ReadModel` is the same row, as operators see it.
public struct AuditRecord: StoredRecord, Hashable {
    /// The event.
    public let eventID: EventID
    /// Its position in the log.
    public let position: Int64
    /// The user it is about.
    public let userID: StreamID?
    /// The event's type, such as `user.logged_in`.
    public let action: String
    /// What was acted on, such as `document/019cad8f-…`.
    public let resource: String
    /// How it ended, such as `success`.
    public let result: String
    /// The actor's network address.
    public let ipAddress: String?
    /// The program that the actor used.
    public let userAgent: String?
    /// Everything that is known about the circumstances.
    public let metadata: JSONValue
    /// When it happened.
    public let timestamp: Timestamp

    /// Its position in the log, which is unique.
    public var id: Int64 { position }

    /// The columns of `audit_logs`.
    public struct Columns: Sendable {
        /// The event.
        public let eventID = Column<AuditRecord, EventID>("id")
        /// Its position in the log.
        public let position = Column<AuditRecord, Int64>("position")
        /// The user it is about.
        public let userID = Column<AuditRecord, StreamID?>("user_id")
        /// The event's type, such as `user.logged_in`.
        public let action = Column<AuditRecord, String>("action")
        /// What was acted on, such as `document/019cad8f-…`.
        public let resource = Column<AuditRecord, String>("resource")
        /// How it ended, such as `success`.
        public let result = Column<AuditRecord, String>("result")
        /// The actor's network address.
        public let ipAddress = Column<AuditRecord, String?>("ip_address")
        /// The program that the actor used.
        public let userAgent = Column<AuditRecord, String?>("user_agent")
        /// Everything that is known about the circumstances.
        public let metadata = Column<AuditRecord, JSONValue>("metadata")
        /// When it happened.
        public let timestamp = Column<AuditRecord, Timestamp>("timestamp")
    }

    /// The columns that queries may name.
    public static let columns = Columns()

    /// `audit_logs`
    public static let table = Table<AuditRecord>(
        name: "audit_logs",
        noun: "audit",
        columns: (
            columns.eventID, columns.position, columns.userID, columns.action, columns.resource, columns.result,
            columns.ipAddress, columns.userAgent, columns.metadata, columns.timestamp
        ),
        make: AuditRecord.init,
        key: [("position", "bigint")],
        keyValues: { [BoundValue($0)] },
        deletedAt: nil,
        sort: columns.position.ascending
    )
}
