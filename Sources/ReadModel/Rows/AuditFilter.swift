public import EventModel

/// Which audited events to list, and in which order.
public struct AuditFilter: Sendable {
    /// The most entries of one page.
    public static let largestPage = 1_000

    /// Only those about this user.
    public var user: StreamID?
    /// Only this type; `user.*` for all of a noun.
    public var action: String?
    /// Only what happened then or later.
    public var from: Timestamp?
    /// Only what happened earlier.
    public var until: Timestamp?
    /// Whether to list the log backwards.
    public var isBackwards = false
    /// Only what comes after this position in that order.
    public var after: Int64?
    /// How many, clamped to 1 … ``largestPage``.
    public var limit: Int

    /// All entries, a page at a time; narrow it by setting what is wanted.
    public init(limit: Int = 100) { self.limit = limit }
}
