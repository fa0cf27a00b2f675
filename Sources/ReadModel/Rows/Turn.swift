public import EventModel
public import FoundationEssentials

/// One turn of a session, as the read model `conversation_turns` has it.
///
/// A stage may have run more than once: its latencies, costs and tokens are added up, its texts joined by line ends.
///
/// `ConversationTurn` of the module `Directory` is the same row, as the session's user sees it.
public struct Turn: Hashable, Sendable {
    /// What the stages of a turn took, in milliseconds.
    public struct Latencies: Hashable, Sendable {
        /// Speech recognition.
        public let asrMs: Double?
        /// Retrieval.
        public let ragMs: Double?
        /// The language model.
        public let llmMs: Double?
        /// Speech synthesis.
        public let ttsMs: Double?
        /// The language model's first token.
        public let firstTokenMs: Double?
        /// From the end of the user's speech to the first sound.
        public let endToEndMs: Double?
        /// ``endToEndMs`` if it was recorded, else the sum of the stages that were measured.
        public let totalMs: Double?
    }

    /// What the stages of a turn cost, in US dollars.
    public struct Costs: Hashable, Sendable {
        /// Speech recognition.
        public let asr: Money?
        /// Retrieval.
        public let rag: Money?
        /// The language model.
        public let llm: Money?
        /// Speech synthesis.
        public let tts: Money?
        /// The sum of all known costs.
        public let total: Money?
    }

    /// The session.
    public let session: StreamID
    /// The turn.
    public let id: UUID
    /// 1, 2 … in the session.
    public let index: Int?
    /// started, completed, interrupted or failed.
    public let status: String
    /// When it began.
    public let startedAt: Timestamp?
    /// When it was completed.
    public let completedAt: Timestamp?
    /// What the user said.
    public let userTranscript: String?
    /// What the language model answered.
    public let llmResponse: String?
    /// What was heard before somebody cut in.
    public let spokenText: String?
    /// Whether somebody cut in.
    public let interrupted: Bool
    /// What the stages took.
    public let latencies: Latencies
    /// What the stages cost.
    public let costs: Costs
    /// The language model.
    public let model: String?
    /// Tokens read.
    public let inputTokens: Int?
    /// Tokens read that came from a cache.
    public let cachedInputTokens: Int?
    /// Tokens written.
    public let outputTokens: Int?
    /// What went wrong, if a stage failed.
    public let errorType: String?
}
