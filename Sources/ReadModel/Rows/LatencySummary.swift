public import EventModel

/// What a latency measures.
public enum LatencyStage: String, CaseIterable, Hashable, Sendable {
    /// Speech recognition.
    case asr
    /// Retrieval.
    case rag
    /// The language model.
    case llm
    /// The language model's first token.
    case llmFirstToken = "llm_first_token"
    /// Speech synthesis.
    case tts
    /// Whole turns.
    case turn
}

/// A stage's latencies in milliseconds; the percentiles are within 1 % of the exact ones.
public struct LatencySummary: Hashable, Sendable {
    /// The stage.
    public let stage: LatencyStage
    /// How often it was measured.
    public let count: Int
    /// The mean.
    public let meanMs: Double?
    /// The shortest.
    public let minMs: Double?
    /// The longest.
    public let maxMs: Double?
    /// The percentiles that were asked for, in their order.
    public let percentilesMs: [Double?]
}

/// One step of a stage's latencies over time; a step without measurements has only its start.
public struct LatencyBucket: Hashable, Sendable {
    /// When the step begins.
    public let start: Timestamp
    /// How often the stage was measured.
    public let count: Int
    /// The mean, in milliseconds.
    public let meanMs: Double?
    /// The shortest, in milliseconds.
    public let minMs: Double?
    /// The longest, in milliseconds.
    public let maxMs: Double?
    /// The median, in milliseconds.
    public let p50Ms: Double?
    /// The 95th percentile, in milliseconds.
    public let p95Ms: Double?
    /// The 99th percentile, in milliseconds.
    public let p99Ms: Double?
}
