public import FoundationEssentials

/// Speech recognition gave a transcript.
public struct TurnTranscribed: SessionEvent {
    /// `turn.transcribed`.
    public static let type = EventType.turnTranscribed

    /// The turn.
    public var turnId: UUID
    /// What the user said.
    public var userTranscript: String?
    /// How sure the recognizer is, 0 to 1.
    public var confidence: Double?
    /// Alternative transcripts: an array.
    public var alternatives: JSONValue?
    /// How long it took, in milliseconds.
    public var asrLatencyMs: Double?
    /// What it cost, in US dollars.
    public var asrCost: Money?
    /// The length of the speech, in seconds.
    public var audioSeconds: Double?
    /// The provider of the recognition.
    public var asrProvider: String?
    /// The model that was used.
    public var model: String?

    /// Creates the event; a field that is `nil` is left out.
    public init(
        turnId: UUID,
        userTranscript: String? = nil,
        confidence: Double? = nil,
        alternatives: JSONValue? = nil,
        asrLatencyMs: Double? = nil,
        asrCost: Money? = nil,
        audioSeconds: Double? = nil,
        asrProvider: String? = nil,
        model: String? = nil
    ) {
        self.turnId = turnId
        self.userTranscript = userTranscript
        self.confidence = confidence
        self.alternatives = alternatives
        self.asrLatencyMs = asrLatencyMs
        self.asrCost = asrCost
        self.audioSeconds = audioSeconds
        self.asrProvider = asrProvider
        self.model = model
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("turnId", turnId)
        fields.add("userTranscript", userTranscript)
        fields.add("confidence", confidence)
        fields.add("alternatives", alternatives)
        fields.add("asrLatencyMs", asrLatencyMs)
        fields.add("asrCost", asrCost)
        fields.add("audioSeconds", audioSeconds)
        fields.add("asrProvider", asrProvider)
        fields.add("model", model)
    }
}

/// Retrieval gave documents.
public struct TurnRetrieved: SessionEvent {
    /// `turn.retrieved`.
    public static let type = EventType.turnRetrieved

    /// The turn.
    public var turnId: UUID
    /// What was searched for.
    public var query: String?
    /// What was found: an array.
    public var documents: JSONValue?
    /// How long it took, in milliseconds.
    public var ragLatencyMs: Double?
    /// What it cost, in US dollars.
    public var ragCost: Money?
    /// Whether the result came from a cache.
    public var cacheHit: Bool?

    /// Creates the event; a field that is `nil` is left out.
    public init(
        turnId: UUID,
        query: String? = nil,
        documents: JSONValue? = nil,
        ragLatencyMs: Double? = nil,
        ragCost: Money? = nil,
        cacheHit: Bool? = nil
    ) {
        self.turnId = turnId
        self.query = query
        self.documents = documents
        self.ragLatencyMs = ragLatencyMs
        self.ragCost = ragCost
        self.cacheHit = cacheHit
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("turnId", turnId)
        fields.add("query", query)
        fields.add("documents", documents)
        fields.add("ragLatencyMs", ragLatencyMs)
        fields.add("ragCost", ragCost)
        fields.add("cacheHit", cacheHit)
    }
}

/// A language model answered.
public struct TurnGenerated: SessionEvent {
    /// `turn.generated`.
    public static let type = EventType.turnGenerated

    /// The turn.
    public var turnId: UUID
    /// What it answered.
    public var llmResponse: String?
    /// How long it took, in milliseconds.
    public var llmLatencyMs: Double?
    /// How long the first token took, in milliseconds.
    public var timeToFirstTokenMs: Double?
    /// The provider of the model.
    public var llmProvider: String?
    /// The model.
    public var model: String?
    /// How many tokens were read.
    public var inputTokens: Int?
    /// How many of ``inputTokens`` came from a cache.
    public var cachedInputTokens: Int?
    /// How many tokens were written.
    public var outputTokens: Int?
    /// How many of ``outputTokens`` were reasoning and not said.
    public var reasoningTokens: Int?
    /// What it cost, in US dollars, if the provider reports it.
    public var llmCost: Money?
    /// Why generation stopped, such as `stop` or `tool_calls`.
    public var finishReason: String?
    /// The provider's id for the call.
    public var requestId: String?

    /// Creates the event; a field that is `nil` is left out.
    public init(
        turnId: UUID,
        llmResponse: String? = nil,
        llmLatencyMs: Double? = nil,
        timeToFirstTokenMs: Double? = nil,
        llmProvider: String? = nil,
        model: String? = nil,
        inputTokens: Int? = nil,
        cachedInputTokens: Int? = nil,
        outputTokens: Int? = nil,
        reasoningTokens: Int? = nil,
        llmCost: Money? = nil,
        finishReason: String? = nil,
        requestId: String? = nil
    ) {
        self.turnId = turnId
        self.llmResponse = llmResponse
        self.llmLatencyMs = llmLatencyMs
        self.timeToFirstTokenMs = timeToFirstTokenMs
        self.llmProvider = llmProvider
        self.model = model
        self.inputTokens = inputTokens
        self.cachedInputTokens = cachedInputTokens
        self.outputTokens = outputTokens
        self.reasoningTokens = reasoningTokens
        self.llmCost = llmCost
        self.finishReason = finishReason
        self.requestId = requestId
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("turnId", turnId)
        fields.add("llmResponse", llmResponse)
        fields.add("llmLatencyMs", llmLatencyMs)
        fields.add("timeToFirstTokenMs", timeToFirstTokenMs)
        fields.add("llmProvider", llmProvider)
        fields.add("model", model)
        fields.add("inputTokens", inputTokens)
        fields.add("cachedInputTokens", cachedInputTokens)
        fields.add("outputTokens", outputTokens)
        fields.add("reasoningTokens", reasoningTokens)
        fields.add("llmCost", llmCost)
        fields.add("finishReason", finishReason)
        fields.add("requestId", requestId)
    }
}

/// Speech synthesis gave audio.
public struct TurnSynthesized: SessionEvent {
    /// `turn.synthesized`.
    public static let type = EventType.turnSynthesized

    /// The turn.
    public var turnId: UUID
    /// How long it took, in milliseconds.
    public var ttsLatencyMs: Double?
    /// How long the first sound took, in milliseconds.
    public var timeToFirstByteMs: Double?
    /// How many characters were spoken.
    public var characters: Int?
    /// The length of the audio, in seconds.
    public var audioSeconds: Double?
    /// What it cost, in US dollars.
    public var ttsCost: Money?
    /// The provider of the synthesis.
    public var ttsProvider: String?
    /// The model that was used.
    public var model: String?

    /// Creates the event; a field that is `nil` is left out.
    public init(
        turnId: UUID,
        ttsLatencyMs: Double? = nil,
        timeToFirstByteMs: Double? = nil,
        characters: Int? = nil,
        audioSeconds: Double? = nil,
        ttsCost: Money? = nil,
        ttsProvider: String? = nil,
        model: String? = nil
    ) {
        self.turnId = turnId
        self.ttsLatencyMs = ttsLatencyMs
        self.timeToFirstByteMs = timeToFirstByteMs
        self.characters = characters
        self.audioSeconds = audioSeconds
        self.ttsCost = ttsCost
        self.ttsProvider = ttsProvider
        self.model = model
    }

    /// Writes the fields of `data`.
    public func write(to fields: inout EventFields) {
        fields.add("turnId", turnId)
        fields.add("ttsLatencyMs", ttsLatencyMs)
        fields.add("timeToFirstByteMs", timeToFirstByteMs)
        fields.add("characters", characters)
        fields.add("audioSeconds", audioSeconds)
        fields.add("ttsCost", ttsCost)
        fields.add("ttsProvider", ttsProvider)
        fields.add("model", model)
    }
}
