public import FoundationEssentials

/// A session began.
public struct SessionStarted: SessionEvent {
    /// `session.started`.
    public static let type = EventType.sessionStarted

    /// The user who speaks with the agent.
    public var userId: UUID?
    /// The provider of speech recognition.
    public var asrProvider: String?
    /// The provider of the language model.
    public var llmProvider: String?
    /// The provider of speech synthesis.
    public var ttsProvider: String?
    /// The voice that speaks.
    public var voiceModelId: UUID?
    /// The face that is shown.
    public var faceModelId: UUID?
    /// Models, endpointing settings and versions in force: an object.
    public var config: JSONValue?

    /// Creates the event; a field that is `nil` is left out.
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
    /// `session.ended`.
    public static let type = EventType.sessionEnded

    /// Why it ended, such as `completed`.
    public var reason: String?

    /// Creates the event; a field that is `nil` is left out.
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

    /// The state that the session left.
    public let from: SessionState
    /// The state that it entered.
    public let to: SessionState
    /// Why it changed.
    public let reason: String?

    /// Creates the event.
    ///
    /// - Parameters:
    ///   - from: The state that the session left.
    ///   - to: The state that it entered.
    ///   - reason: Why it changed.
    ///   - allowingAnomaly: Whether to accept a pair that is not in the table of transitions, because it did happen.
    /// - Throws: ``EventModelError`` with code `.illegalTransition` if the pair is not in the table and no anomaly is
    ///   allowed.
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
