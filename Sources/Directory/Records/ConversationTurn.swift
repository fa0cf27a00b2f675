public import EventModel
public import FoundationEssentials

internal import Postgres

/// One turn of a session of the acting user, as the projector built it from the log.
public struct ConversationTurn: StoredRecord, Hashable {
    /// Which turn of which session.
    public struct ID: Hashable, Sendable, CustomStringConvertible {
        /// The session.
        public let session: StreamID
        /// The turn.
        public let turn: UUID

        /// Names a turn.
        public init(session: StreamID, turn: UUID) {
            self.session = session
            self.turn = turn
        }

        /// Both ids.
        public var description: String { "\(session)/\(turn.text)" }
    }

    /// The session.
    public let sessionID: StreamID
    /// The turn in its session.
    public let turnID: UUID
    /// 1, 2 … in the session.
    public let turnIndex: Int?
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
    /// From the end of the user's speech to the first sound, in milliseconds.
    public let latencyMs: Double?
    /// What it cost, in US dollars; nil while no cost is known.
    public let totalCost: Money?
    /// The language model.
    public let model: String?
    /// Tokens read.
    public let inputTokens: Int?
    /// Tokens written.
    public let outputTokens: Int?
    /// What went wrong, if a stage failed.
    public let errorType: String?

    /// The session and the turn.
    public var id: ID { ID(session: sessionID, turn: turnID) }

    /// The columns of `conversation_turns`.
    public struct Columns: Sendable {
        /// The session.
        public let sessionID = Column<ConversationTurn, StreamID>("session_id")
        /// The turn in its session.
        public let turnID = Column<ConversationTurn, UUID>("turn_id")
        /// 1, 2 … in the session.
        public let turnIndex = Column<ConversationTurn, Int?>("turn_index")
        /// started, completed, interrupted or failed.
        public let status = Column<ConversationTurn, String>("status")
        /// When it began.
        public let startedAt = Column<ConversationTurn, Timestamp?>("started_at")
        /// When it was completed.
        public let completedAt = Column<ConversationTurn, Timestamp?>("completed_at")
        /// What the user said.
        public let userTranscript = Column<ConversationTurn, String?>("user_transcript")
        /// What the language model answered.
        public let llmResponse = Column<ConversationTurn, String?>("llm_response")
        /// What was heard before somebody cut in.
        public let spokenText = Column<ConversationTurn, String?>("spoken_text")
        /// Whether somebody cut in.
        public let interrupted = Column<ConversationTurn, Bool>("interrupted")
        /// From the end of the user's speech to the first sound, in milliseconds.
        public let latencyMs = Column<ConversationTurn, Double?>("latency_ms")
        /// What it cost, in US dollars; nil while no cost is known.
        public let totalCost = Column<ConversationTurn, Money?>("total_cost")
        /// The language model.
        public let model = Column<ConversationTurn, String?>("model")
        /// Tokens read.
        public let inputTokens = Column<ConversationTurn, Int?>("input_tokens")
        /// Tokens written.
        public let outputTokens = Column<ConversationTurn, Int?>("output_tokens")
        /// What went wrong, if a stage failed.
        public let errorType = Column<ConversationTurn, String?>("error_type")
    }

    /// The columns that queries may name.
    public static let columns = Columns()

    /// `conversation_turns`
    public static let table = Table<ConversationTurn>(
        name: "conversation_turns",
        noun: "turn",
        columns: [
            "session_id", "turn_id", "turn_index", "status", "started_at", "completed_at", "user_transcript",
            "llm_response", "spoken_text", "interrupted", "latency_ms", "total_cost", "model", "input_tokens",
            "output_tokens", "error_type",
        ],
        key: [("session_id", "uuid"), ("turn_id", "uuid")],
        keyValues: { [BoundValue($0.session.uuid), BoundValue($0.turn)] },
        deletedAt: nil,
        // A turn that did not say which it is comes last.
        sort: Sort(unsafeSQL: "coalesce(turn_index, 2147483647)", type: .int4),
        read: { (row, place) throws(PostgresError) in
            ConversationTurn(
                sessionID: try columns.sessionID.read(row, &place),
                turnID: try columns.turnID.read(row, &place),
                turnIndex: try columns.turnIndex.read(row, &place),
                status: try columns.status.read(row, &place),
                startedAt: try columns.startedAt.read(row, &place),
                completedAt: try columns.completedAt.read(row, &place),
                userTranscript: try columns.userTranscript.read(row, &place),
                llmResponse: try columns.llmResponse.read(row, &place),
                spokenText: try columns.spokenText.read(row, &place),
                interrupted: try columns.interrupted.read(row, &place),
                latencyMs: try columns.latencyMs.read(row, &place),
                totalCost: try columns.totalCost.read(row, &place),
                model: try columns.model.read(row, &place),
                inputTokens: try columns.inputTokens.read(row, &place),
                outputTokens: try columns.outputTokens.read(row, &place),
                errorType: try columns.errorType.read(row, &place)
            )
        }
    )
}
