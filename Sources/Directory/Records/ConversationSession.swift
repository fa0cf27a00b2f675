public import EventModel

internal import Postgres

/// One session of the acting user, as the projector built it from the log.
public struct ConversationSession: StoredRecord, Hashable {
    /// The session; its stream has the same id.
    public let id: StreamID
    /// Who spoke with the agent.
    public let userID: StreamID?
    /// The state it was in last, such as `idle`.
    public let state: String
    /// Who recognized speech.
    public let asrProvider: String?
    /// Who ran the language model.
    public let llmProvider: String?
    /// Who synthesized speech.
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
    /// The mean latency of the turns that have one, in milliseconds.
    public let averageLatencyMs: Double?
    /// What it cost, in US dollars; nil while no cost is known.
    public let totalCost: Money?
    /// How many turns were interrupted.
    public let interruptedTurns: Int
    /// How many stages failed, and changes to `error`.
    public let errorCount: Int
    /// How many changes of state are not in the table of transitions.
    public let anomalies: Int
    /// What was in force: an object.
    public let config: JSONValue?

    /// The columns of `conversation_sessions`.
    public struct Columns: Sendable {
        /// The session; its stream has the same id.
        public let id = Column<ConversationSession, StreamID>("id")
        /// Who spoke with the agent.
        public let userID = Column<ConversationSession, StreamID?>("user_id")
        /// The state it was in last, such as `idle`.
        public let state = Column<ConversationSession, String>("state")
        /// Who recognized speech.
        public let asrProvider = Column<ConversationSession, String?>("asr_provider")
        /// Who ran the language model.
        public let llmProvider = Column<ConversationSession, String?>("llm_provider")
        /// Who synthesized speech.
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
        /// The mean latency of the turns that have one, in milliseconds.
        public let averageLatencyMs = Column<ConversationSession, Double?>("average_latency_ms")
        /// What it cost, in US dollars; nil while no cost is known.
        public let totalCost = Column<ConversationSession, Money?>("total_cost")
        /// How many turns were interrupted.
        public let interruptedTurns = Column<ConversationSession, Int>("interrupted_turns")
        /// How many stages failed, and changes to `error`.
        public let errorCount = Column<ConversationSession, Int>("error_count")
        /// How many changes of state are not in the table of transitions.
        public let anomalies = Column<ConversationSession, Int>("anomalies")
        /// What was in force: an object.
        public let config = Column<ConversationSession, JSONValue?>("config")
    }

    /// The columns that queries may name.
    public static let columns = Columns()

    /// `conversation_sessions`
    public static let table = Table<ConversationSession>(
        name: "conversation_sessions",
        noun: "session",
        columns: [
            "id", "user_id", "state", "asr_provider", "llm_provider", "tts_provider", "started_at", "ended_at",
            "last_event_at", "version", "total_turns", "average_latency_ms", "total_cost", "interrupted_turns",
            "error_count", "anomalies", "config",
        ],
        key: [("id", "uuid")],
        keyValues: { [BoundValue($0.uuid)] },
        deletedAt: nil,
        sort: columns.lastEventAt.descending,
        read: { (row, place) throws(PostgresError) in
            ConversationSession(
                id: try columns.id.read(row, &place),
                userID: try columns.userID.read(row, &place),
                state: try columns.state.read(row, &place),
                asrProvider: try columns.asrProvider.read(row, &place),
                llmProvider: try columns.llmProvider.read(row, &place),
                ttsProvider: try columns.ttsProvider.read(row, &place),
                startedAt: try columns.startedAt.read(row, &place),
                endedAt: try columns.endedAt.read(row, &place),
                lastEventAt: try columns.lastEventAt.read(row, &place),
                version: try columns.version.read(row, &place),
                totalTurns: try columns.totalTurns.read(row, &place),
                averageLatencyMs: try columns.averageLatencyMs.read(row, &place),
                totalCost: try columns.totalCost.read(row, &place),
                interruptedTurns: try columns.interruptedTurns.read(row, &place),
                errorCount: try columns.errorCount.read(row, &place),
                anomalies: try columns.anomalies.read(row, &place),
                config: try columns.config.read(row, &place)
            )
        }
    )
}
