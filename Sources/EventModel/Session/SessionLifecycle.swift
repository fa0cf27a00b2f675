public import FoundationEssentials

/// A session began.
public struct SessionStarted: SessionEvent {
    /// `sessionStarted`.
    public static let type = EventType.sessionStarted

    /// Who speaks with the agent.
    public var userId: UUID?
    /// Who recognizes speech.
    public var asrProvider: String?
    /// Who runs the language model.
    public var llmProvider: String?
    /// Who synthesizes speech.
    public var ttsProvider: String?
    /// The voice that speaks.
    public var voiceModelId: UUID?
    /// The face that is shown.
    public var faceModelId: UUID?
    /// Models, endpointing settings and versions in force: an object.
    public var config: JSONValue?

    /// Puts the event together; what is nil is left out.
    public init(
        userId: UUID? = nil,
        asrProvider: String? = nil,
        llmProvider: String? = nil,
        ttsProvider: String? = nil,
        voiceModelId: UUID? = nil,
        faceModelId: UUID? = nil,
        config: JSONValue? = nil
    ) {
        self.userId = userId
        self.asrProvider = asrProvider
        self.llmProvider = llmProvider
        self.ttsProvider = ttsProvider
        self.voiceModelId = voiceModelId
        self.faceModelId = faceModelId
        self.config = config
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("userId", userId)
        fields.add("asrProvider", asrProvider)
        fields.add("llmProvider", llmProvider)
        fields.add("ttsProvider", ttsProvider)
        fields.add("voiceModelId", voiceModelId)
        fields.add("faceModelId", faceModelId)
        fields.add("config", config)
    }
}

/// A session ended.
public struct SessionEnded: SessionEvent {
    /// `sessionEnded`.
    public static let type = EventType.sessionEnded

    /// Why, such as `completed`.
    public var reason: String?

    /// Puts the event together; what is nil is left out.
    public init(
        reason: String? = nil
    ) {
        self.reason = reason
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("reason", reason)
    }
}

/// A session went from one state to another.
public struct SessionStateChanged: SessionEvent {
    /// `session.state_changed`.
    public static let type = EventType.sessionStateChanged

    /// The state it left.
    public let from: SessionState
    /// The state it is in.
    public let to: SessionState
    /// Why.
    public let reason: String?

    /// Puts the event together.
    ///
    /// - Parameters:
    ///   - from: The state it left.
    ///   - to: The state it is in.
    ///   - reason: Why.
    ///   - allowingAnomaly: Whether to take a pair that the table of transitions does not have, because it happened.
    /// - Throws: ``EventModelError`` with code `.illegalTransition` if the pair is not in the table and need be.
    public init(
        from: SessionState,
        to: SessionState,
        reason: String? = nil,
        allowingAnomaly: Bool = false
    ) throws(EventModelError) {
        guard allowingAnomaly || SessionStateMachine.allows(from: from, to: to) else {
            let allowed = from.successors.map(\.rawValue).sorted().joined(separator: ", ")
            throw EventModelError(
                .illegalTransition,
                field: "to",
                "a session does not go from \(from) to \(to), only to \(allowed); allow an anomaly if it did happen"
            )
        }
        self.from = from
        self.to = to
        self.reason = reason
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("from", from.rawValue)
        fields.add("to", to.rawValue)
        fields.add("reason", reason)
    }
}
