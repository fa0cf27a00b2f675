public import EventModel

/// A session at some point of its stream: what was known when the event there was recorded.
public struct SessionSnapshot: Hashable, Sendable {
    /// A turn at that point.
    public struct Turn: Hashable, Sendable {
        /// The turn's id, in lower case.
        public let id: String
        /// 1, 2 … in the session.
        public internal(set) var index: Int?
        /// started, completed, interrupted or failed.
        public internal(set) var status = "started"
        /// When it began; nil if no event says so.
        public internal(set) var startedAt: Timestamp?
        /// What the user said.
        public internal(set) var userTranscript: String?
        /// What the language model answered.
        public internal(set) var llmResponse: String?
        /// What was heard before somebody cut in.
        public internal(set) var spokenText: String?
        /// Whether somebody cut in.
        public internal(set) var interrupted = false
        /// How long each measured stage took, in milliseconds: exact sums, as in the read models.
        var stages: [TurnStage: Milliseconds] = [:]
        /// How long each measured stage took, in milliseconds.
        public var stageLatenciesMs: [TurnStage: Double] { stages.mapValues(\.double) }
        /// The language model's first token, in milliseconds.
        public internal(set) var firstTokenMs: Double?
        /// From the end of the user's speech to the first sound, in milliseconds.
        public internal(set) var endToEndLatencyMs: Double?
        /// What its calls cost, in US dollars; nil while no cost is known.
        public internal(set) var cost: Money?
        /// How many of its calls have no known cost.
        public internal(set) var uncostedCalls = 0
        /// What went wrong, if a stage failed.
        public internal(set) var errorType: String?

        /// ``endToEndLatencyMs`` if it was recorded, else the sum of the stages that were measured.
        public var latencyMs: Double? {
            if let endToEndLatencyMs { return endToEndLatencyMs }
            guard !stages.isEmpty else { return nil }
            return stages.values.reduce(.zero, +).double
        }
    }

    /// The session.
    public let session: StreamID
    /// How many events were recorded.
    public internal(set) var version = 0
    /// When the session began, by its last `session.started`; nil if there was none.
    public internal(set) var startedAt: Timestamp?
    /// When its last event happened.
    public internal(set) var at: Timestamp?
    /// When the session ended.
    public internal(set) var endedAt: Timestamp?
    /// Who spoke with the agent.
    public internal(set) var userID: String?
    /// The state, such as `speaking`.
    public internal(set) var state = SessionState.idle.rawValue
    /// How many changes of state are not in the table of transitions.
    public internal(set) var anomalies = 0
    /// Who recognized speech.
    public internal(set) var asrProvider: String?
    /// Who ran the language model.
    public internal(set) var llmProvider: String?
    /// Who synthesized speech.
    public internal(set) var ttsProvider: String?
    /// The turns, in the order of their first events.
    public internal(set) var turns: [Turn] = []
    /// What all calls cost, in US dollars; nil while no cost is known.
    public internal(set) var totalCost: Money?
    /// How many calls have no known cost.
    public internal(set) var uncostedCalls = 0
    /// How many stages failed, and changes to `error`.
    public internal(set) var errorCount = 0
    /// How many members should be numbers and are not: they count as unknown, and the read models stop at their events.
    public internal(set) var misfits = 0

    /// A session without events.
    public init(session: StreamID) { self.session = session }
}
