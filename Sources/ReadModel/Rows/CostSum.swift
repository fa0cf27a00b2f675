public import EventModel

/// What costs can be summed by.
public enum CostDimension: String, CaseIterable, Hashable, Sendable {
    /// The day of the first call, UTC.
    case day
    /// asr, rag, llm or tts.
    case stage
    /// Who was called.
    case provider
    /// Which model was called.
    case model
    /// The session that called.
    case session
}

/// Costs of calls that have something in common. A dimension that was not summed by is nil.
public struct CostSum: Hashable, Sendable {
    /// The day, such as `2026-03-02`.
    public let day: String?
    /// The stage.
    public let stage: String?
    /// The provider; nil also for calls that named none.
    public let provider: String?
    /// The model; nil also for calls that named none.
    public let model: String?
    /// The session.
    public let session: StreamID?
    /// How many calls.
    public let calls: Int
    /// Tokens read.
    public let inputTokens: Int
    /// Tokens read that came from a cache.
    public let cachedInputTokens: Int
    /// Tokens written.
    public let outputTokens: Int
    /// What they cost, in US dollars; nil if no cost is known.
    public let cost: Money?
    /// How many calls have no known cost.
    public let uncostedCalls: Int
}
