public import EventModel

/// One event of a replayed session: when it came, what it said, and the session's state after it.
public struct ReplayFrame: Hashable, Sendable {
    /// Who is heard in a frame.
    public enum Speaker: String, Hashable, Sendable {
        /// The user.
        case user
        /// The agent.
        case agent
        /// Nobody: something happened in the system.
        case system
    }

    /// A latency that the event measured.
    public struct Latency: Hashable, Sendable {
        /// asr, rag, llm, llm_first_token, tts, tts_first_byte, yield or turn.
        public let name: String
        /// How long it was, in milliseconds.
        public let milliseconds: Double
    }

    /// The event's place in the stream.
    public let version: Int
    /// The event's type.
    public let type: EventType
    /// When it happened.
    public let at: Timestamp
    /// How long after the beginning that was; see ``SessionReplay/init(session:prices:begin:)``.
    public let offset: Duration
    /// The state after it.
    public let state: String
    /// Which turn it belongs to, 1, 2 …; nil for none, or if that is not known.
    public let turnIndex: Int?
    /// Who is heard.
    public let speaker: Speaker
    /// What was said, or what happened.
    public let text: String?
    /// What was measured.
    public let latencies: [Latency]
    /// What the event's call cost, in US dollars.
    public let cost: Money?
    /// What the session cost so far, in US dollars.
    public let costSoFar: Money?
    /// How many calls so far have no known cost.
    public let uncostedCalls: Int
    /// The members of the event whose values were erased, such as `data.userTranscript`.
    public let erased: [String]
    /// The members of the event's data that should be numbers and are not, such as `llmCost`: they count as unknown.
    public let misfits: [String]
}
