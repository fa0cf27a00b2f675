public import EventModel

internal import Postgres

/// One session of the acting user, as the projector built it from the log.
///
/// `Session` of the module `ReadModel` is the whole row, as operators see it.
public struct ConversationSession: StoredRecord, Hashable {
    /// The session; its stream has the same id.
    public let id: StreamID
    /// Who spoke with the agent.
    public let userID: StreamID?
    /// The state it was in last, such as `idle`.
    public let state: String
    /// The provider that recognized speech.
    public let asrProvider: String?
    /// The provider that ran the language model.
    public let llmProvider: String?
    /// The provider that synthesized speech.
    public let ttsProvider: String?
    /// When it began.
    public let startedAt: Timestamp?
    /// When it ended.
    public let endedAt: Timestamp?
    /// When its last event happened.
    public let lastEventAt: Timestamp
    /// How many events it has.
    public let version: Int
    /// How many turns began.
    public let totalTurns: Int
    /// How many turns have a latency.
    public let measuredTurns: Int
    /// The mean latency of those, in milliseconds.
    public let averageLatencyMs: Double?
    /// What it cost as far as costs are known, in US dollars; nil while none is.
    public let totalCost: Money?
    /// How many calls of stages are missing from ``totalCost``, because nobody knows what they cost.
    public let uncostedCalls: Int
    /// How many turns were interrupted.
    public let interruptedTurns: Int
    /// How many stages failed, plus how many times the state became `error`.
    public let errorCount: Int
    /// How many state changes are not in the table of transitions.
    public let anomalies: Int
    /// The configuration in force: a JSON object.
    public let config: JSONValue?

    /// The columns of `conversation_sessions`.
    public struct Columns: Sendable {
        /// The session; its stream has the same id.
        public let id = Column<ConversationSession, StreamID>("id")
        /// Who spoke with the agent.
        public let userID = Column<ConversationSession, StreamID?>("user_id")
        /// The state it was in last, such as `idle`.
        public let state = Column<ConversationSession, String>("state")
        /// The provider that recognized speech.
        public let asrProvider = Column<ConversationSession, String?>("asr_provider")
        /// The provider that ran the language model.
        public let llmProvider = Column<ConversationSession, String?>("llm_provider")
        /// The provider that synthesized speech.
        public let ttsProvider = Column<ConversationSession, String?>("tts_provider")
        /// When it began.
        public let startedAt = Column<ConversationSession, Timestamp?>("started_at")
        /// When it ended.
        public let endedAt = Column<ConversationSession, Timestamp?>("ended_at")
        /// When its last event happened.
        public let lastEventAt = Column<ConversationSession, Timestamp>("last_event_at")
        /// How many events it has.
        public let version = Column<ConversationSession, Int>("version")
        /// How many turns began.
        public let totalTurns = Column<ConversationSession, Int>("total_turns")
        /// How many turns have a latency.
        public let measuredTurns = Column<ConversationSession, Int>("measured_turns")
        /// The mean latency of those, in milliseconds.
        public let averageLatencyMs = Column<ConversationSession, Double?>("average_latency_ms")
        /// What it cost as far as costs are known, in US dollars; nil while none is.
        public let totalCost = Column<ConversationSession, Money?>("total_cost")
        /// How many calls of stages are missing from the total cost.
        public let uncostedCalls = Column<ConversationSession, Int>("uncosted_calls")
        /// How many turns were interrupted.
        public let interruptedTurns = Column<ConversationSession, Int>("interrupted_turns")
        /// How many stages failed, plus how many times the state became `error`.
        public let errorCount = Column<ConversationSession, Int>("error_count")
        /// How many state changes are not in the table of transitions.
        public let anomalies = Column<ConversationSession, Int>("anomalies")
        /// The configuration in force: a JSON object.
        public let config = Column<ConversationSession, JSONValue?>("config")
    }

    /// The columns that queries may name.
    public static let columns = Columns()

    /// `conversation_sessions`
    public static let table = Table<ConversationSession>(
        name: "conversation_sessions",
        noun: "session",
        columns: (
            columns.id, columns.userID, columns.state, columns.asrProvider, columns.llmProvider,
            columns.ttsProvider, columns.startedAt, columns.endedAt, columns.lastEventAt, columns.version,
            columns.totalTurns, columns.measuredTurns, columns.averageLatencyMs, columns.totalCost,
            columns.uncostedCalls, columns.interruptedTurns, columns.errorCount, columns.anomalies, columns.config
        ),
        make: ConversationSession.init,
        key: [("id", "uuid")],
        keyValues: { [BoundValue($0.uuid)] },
        deletedAt: nil,
        sort: columns.lastEventAt.descending
    )
}
