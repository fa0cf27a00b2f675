public import FoundationEssentials

/// One of the two who speak.
public enum Speaker: String, CaseIterable, Hashable, Sendable {
    /// The person.
    case user
    /// The machine.
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
    /// `turnStarted`.
    public static let type = EventType.turnStarted

    /// The turn, the same across retries and tool calls.
    public var turnId: UUID
    /// 1, 2 … in the session.
    public var turnIndex: Int

    /// Puts the event together; what is nil is left out.
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
    /// `turnInterrupted`.
    public static let type = EventType.turnInterrupted

    /// The turn.
    public var turnId: UUID
    /// Who cut in.
    public var by: Speaker
    /// What was heard before the cut.
    public var spokenText: String?
    /// How long the other one went on, in milliseconds.
    public var yieldLatencyMs: Double?
    /// Whether it was noise or a word of assent, and the speech went on.
    public var falseInterruption: Bool?

    /// Puts the event together; what is nil is left out.
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

/// A turn came to its end.
public struct TurnCompleted: SessionEvent {
    /// `turnCompleted`.
    public static let type = EventType.turnCompleted

    /// The turn.
    public var turnId: UUID
    /// From the end of the user's speech to the first sound, in milliseconds.
    public var endToEndLatencyMs: Double?

    /// Puts the event together; what is nil is left out.
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
    /// `turnFailed`.
    public static let type = EventType.turnFailed

    /// The turn.
    public var turnId: UUID
    /// The stage.
    public var stage: TurnStage
    /// The kind of error, such as `timeout`.
    public var errorType: String?
    /// What the stage said of it.
    public var message: String?
    /// Whether trying again may help.
    public var retryable: Bool?

    /// Puts the event together; what is nil is left out.
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
