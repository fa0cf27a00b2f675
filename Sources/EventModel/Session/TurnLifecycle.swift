public import FoundationEssentials

/// A participant of the conversation.
public enum Speaker: String, CaseIterable, Hashable, Sendable {
    /// The human user.
    case user
    /// The voice agent.
    case agent
}

/// A stage of a turn.
public enum TurnStage: String, CaseIterable, Hashable, Sendable {
    /// Speech recognition.
    case asr
    /// Retrieval.
    case rag
    /// The language model.
    case llm
    /// Speech synthesis.
    case tts
}

/// A turn began.
public struct TurnStarted: SessionEvent {
    /// `turn.started`.
    public static let type = EventType.turnStarted

    /// The turn's id, the same across retries and tool calls.
    public var turnId: UUID
    /// The turn's number in the session: 1, 2 …
    public var turnIndex: Int

    /// Creates the event.
    public init(
        turnId: UUID,
        turnIndex: Int
    ) {
        self.turnId = turnId
        self.turnIndex = turnIndex
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("turnId", turnId)
        fields.add("turnIndex", turnIndex)
    }
}

/// Somebody spoke over somebody else.
public struct TurnInterrupted: SessionEvent {
    /// `turn.interrupted`.
    public static let type = EventType.turnInterrupted

    /// The turn.
    public var turnId: UUID
    /// Who interrupted.
    public var by: Speaker
    /// What was heard before the interruption.
    public var spokenText: String?
    /// How long the other speaker went on, in milliseconds.
    public var yieldLatencyMs: Double?
    /// Whether it was only noise or a word of assent, and the speech went on.
    public var falseInterruption: Bool?

    /// Creates the event; a field that is `nil` is left out.
    public init(
        turnId: UUID,
        by: Speaker,
        spokenText: String? = nil,
        yieldLatencyMs: Double? = nil,
        falseInterruption: Bool? = nil
    ) {
        self.turnId = turnId
        self.by = by
        self.spokenText = spokenText
        self.yieldLatencyMs = yieldLatencyMs
        self.falseInterruption = falseInterruption
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("turnId", turnId)
        fields.add("by", by.rawValue)
        fields.add("spokenText", spokenText)
        fields.add("yieldLatencyMs", yieldLatencyMs)
        fields.add("falseInterruption", falseInterruption)
    }
}

/// A turn ended.
public struct TurnCompleted: SessionEvent {
    /// `turn.completed`.
    public static let type = EventType.turnCompleted

    /// The turn.
    public var turnId: UUID
    /// The time from the end of the user's speech to the first sound, in milliseconds.
    public var endToEndLatencyMs: Double?

    /// Creates the event; a field that is `nil` is left out.
    public init(
        turnId: UUID,
        endToEndLatencyMs: Double? = nil
    ) {
        self.turnId = turnId
        self.endToEndLatencyMs = endToEndLatencyMs
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("turnId", turnId)
        fields.add("endToEndLatencyMs", endToEndLatencyMs)
    }
}

/// A stage of a turn failed.
public struct TurnFailed: SessionEvent {
    /// `turn.failed`.
    public static let type = EventType.turnFailed

    /// The turn.
    public var turnId: UUID
    /// The stage that failed.
    public var stage: TurnStage
    /// The kind of error, such as `timeout`.
    public var errorType: String?
    /// The stage's message about it.
    public var message: String?
    /// Whether trying again may help.
    public var retryable: Bool?

    /// Creates the event; a field that is `nil` is left out.
    public init(
        turnId: UUID,
        stage: TurnStage,
        errorType: String? = nil,
        message: String? = nil,
        retryable: Bool? = nil
    ) {
        self.turnId = turnId
        self.stage = stage
        self.errorType = errorType
        self.message = message
        self.retryable = retryable
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("turnId", turnId)
        fields.add("stage", stage.rawValue)
        fields.add("errorType", errorType)
        fields.add("message", message)
        fields.add("retryable", retryable)
    }
}
