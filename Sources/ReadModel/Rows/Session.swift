public import EventModel

/// One session, as the read model `conversation_sessions` has it.
///
/// `ConversationSession` of the module `Directory` is the same row, as the session's user sees it.
public struct Session: Hashable, Sendable {
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
    /// How many turns have a latency.
    public let measuredTurns: Int
    /// The mean of their latencies, in milliseconds.
    public let averageLatencyMs: Double?
    /// What it cost, in US dollars; nil while no cost is known.
    public let totalCost: Money?
    /// How many calls have no known cost.
    public let uncostedCalls: Int
    /// How many turns were interrupted.
    public let interruptedTurns: Int
    /// How many stages failed, and changes to `error`.
    public let errorCount: Int
    /// How many changes of state are not in the table of transitions.
    public let anomalies: Int
    /// How long it was in each state, in milliseconds.
    public let timeInState: [String: Double]
    /// The configuration in force: an object.
    public let config: JSONValue?
}
