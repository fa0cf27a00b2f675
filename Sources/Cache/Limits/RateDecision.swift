public import FoundationEssentials

/// The outcome of a request for tokens.
public struct RateDecision: Sendable, Hashable, CustomStringConvertible {
    /// The endpoint that the request was for.
    public let endpoint: String
    /// Whether the tokens were taken.
    public let isAllowed: Bool
    /// How many tokens are left.
    public let remaining: Double
    /// How long until there are enough tokens, if nobody else takes any; zero if there were enough.
    public let retryAfter: Duration
    /// When the reporting window began.
    public let windowStartedAt: Date
    /// How many requests were allowed since then.
    public let windowCount: Int

    /// A message for the caller.
    public var description: String {
        guard !isAllowed else { return "'\(endpoint)' may be used" }
        let tenths = Int((retryAfter / .milliseconds(100)).rounded(.up))
        return "'\(endpoint)' is used too often: try again in \(tenths / 10).\(tenths % 10) s"
    }
}
