public import EventModel
public import FoundationEssentials

internal import Postgres

/// One turn of a session of the acting user, as the projector built it from the log.
///
/// `Turn` of the module `ReadModel` is the whole row, as operators see it.
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
    /// The turn's number in the session: 1, 2 …
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
    /// What was heard before an interruption.
    public let spokenText: String?
    /// Whether the turn was interrupted.
    public let interrupted: Bool
    /// The end-to-end latency if it was recorded, else the sum of the measured stages, in milliseconds.
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
        /// The turn's number in the session: 1, 2 …
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
        /// What was heard before an interruption.
        public let spokenText = Column<ConversationTurn, String?>("spoken_text")
        /// Whether the turn was interrupted.
        public let interrupted = Column<ConversationTurn, Bool>("interrupted")
        /// The end-to-end latency if it was recorded, else the sum of the measured stages, in milliseconds.
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
        columns: (
            columns.sessionID, columns.turnID, columns.turnIndex, columns.status, columns.startedAt,
            columns.completedAt, columns.userTranscript, columns.llmResponse, columns.spokenText,
            columns.interrupted, columns.latencyMs, columns.totalCost, columns.model, columns.inputTokens,
            columns.outputTokens, columns.errorType
        ),
        make: ConversationTurn.init,
        key: [("session_id", "uuid"), ("turn_id", "uuid")],
        keyValues: { [BoundValue($0.session.uuid), BoundValue($0.turn)] },
        deletedAt: nil,
        // A turn without an index comes last.
        sort: Sort(unsafeSQL: "coalesce(turn_index, 2147483647)", type: .int4)
    )
}
