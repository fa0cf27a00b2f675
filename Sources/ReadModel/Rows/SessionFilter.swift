public import EventModel

/// Which sessions to list, newest first.
public struct SessionFilter: Sendable {
    /// Where a page ends: the next one begins after it.
    public struct Place: Hashable, Sendable {
        /// When the page's last session began.
        public let startedAt: Timestamp?
        /// That session.
        public let id: StreamID

        /// The place after a session.
        public init(after session: Session) {
            startedAt = session.startedAt
            id = session.id
        }
    }

    /// The most sessions of one page.
    public static let largestPage = 1_000

    /// Only this user's.
    public var user: StreamID?
    /// Only those in this state.
    public var state: SessionState?
    /// Only those with this provider, for any stage.
    public var provider: String?
    /// Only those that began then or later.
    public var from: Timestamp?
    /// Only those that began earlier.
    public var until: Timestamp?
    /// Only those that cost as much or more.
    public var minimumCost: Money?
    /// Only those with errors, or only those without.
    public var hasErrors: Bool?
    /// Only those with anomalies, or only those without.
    public var hasAnomalies: Bool?
    /// Only what comes after an earlier page.
    public var after: Place?
    /// How many, clamped to 1 … ``largestPage``.
    public var limit: Int

    /// All sessions, a page at a time; narrow it by setting what is wanted.
    public init(limit: Int = 50) { self.limit = limit }
}
