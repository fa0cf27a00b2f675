public import EventModel

/// One audited event, as the read model `audit_logs` has it.
///
/// `AuditRecord` of the module `Directory` is the same row, as the user it is about sees it.
public struct AuditEntry: Hashable, Sendable {
    /// The event.
    public let eventID: EventID
    /// Its place in the log.
    public let position: Int64
    /// The user it is about.
    public let userID: StreamID?
    /// The event's type, such as `user.logged_in`.
    public let action: String
    /// What was acted on.
    public let resource: String
    /// How it ended, such as `success`.
    public let result: String
    /// Where the actor came from.
    public let ipAddress: String?
    /// The program that the actor used.
    public let userAgent: String?
    /// All that is known of the circumstances.
    public let metadata: JSONValue?
    /// When it happened.
    public let timestamp: Timestamp
    /// Covers the row and the hash before it in the user's chain.
    public let hash: [UInt8]?
    /// The hash before; nil where a chain begins.
    public let previousHash: [UInt8]?
}

/// Where a user's chain of audited events is first broken.
public struct AuditFault: Hashable, Sendable {
    /// Whose chain; nil for the chain of events about nobody.
    public let userID: StreamID?
    /// The place in the log of the row that does not fit.
    public let position: Int64?
    /// The event of that row; nil if it is missing.
    public let eventID: EventID?
    /// What does not fit.
    public let problem: String
}

/// How much of the audit log there is to verify.
public struct AuditExtent: Hashable, Sendable {
    /// How many chains, including that of events about nobody.
    public let chains: Int
    /// How many audited events.
    public let rows: Int
}
