public import FoundationEssentials

/// What became of a request for tokens.
public struct RateDecision: Sendable, Hashable, CustomStringConvertible {
    /// What was asked of.
    public let endpoint: String
    /// Whether the tokens were taken.
    public let isAllowed: Bool
    /// How many tokens are left.
    public let remaining: Double
    /// How long until there are enough, if nobody else takes any; zero if there were.
    public let retryAfter: Duration
    /// When the window of the report began.
    public let windowStartedAt: Date
    /// How many requests were let through since then.
    public let windowCount: Int

    /// What to tell who asked.
    public var description: String {
        guard !isAllowed else { return "'\(endpoint)' may be used" }
        let tenths = Int((retryAfter / .milliseconds(100)).rounded(.up))
        return "'\(endpoint)' is used too often: try again in \(tenths / 10).\(tenths % 10) s"
    }
}
