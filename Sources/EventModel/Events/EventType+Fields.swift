extension EventType {
    /// The fields that the contract defines in `data` for session and turn types; `nil` for other types, whose fields
    /// are up to their writers.
    ///
    /// Source: `events.md`, "Types".
    package var fields: Set<String>? { Self.fieldsByType[self] }

    /// The fields of all these types.
    package static let allFields = fieldsByType.values.reduce(into: Set()) { $0.formUnion($1) }

    private static let fieldsByType: [EventType: Set<String>] = [
        .sessionStarted: [
            "userId", "asrProvider", "llmProvider", "ttsProvider", "voiceModelId", "faceModelId", "config",
        ],
        .sessionStateChanged: ["from", "to", "reason"],
        .sessionEnded: ["reason"],
        .turnStarted: ["turnId", "turnIndex"],
        .turnTranscribed: [
            "turnId", "userTranscript", "confidence", "alternatives", "asrLatencyMs", "asrCost", "audioSeconds",
            "asrProvider", "model",
        ],
        .turnRetrieved: ["turnId", "query", "documents", "ragLatencyMs", "ragCost", "cacheHit"],
        .turnGenerated: [
            "turnId", "llmResponse", "llmLatencyMs", "timeToFirstTokenMs", "llmProvider", "model", "inputTokens",
            "cachedInputTokens", "outputTokens", "reasoningTokens", "llmCost", "finishReason", "requestId",
        ],
        .turnSynthesized: [
            "turnId", "ttsLatencyMs", "timeToFirstByteMs", "characters", "audioSeconds", "ttsCost", "ttsProvider",
            "model",
        ],
        .turnInterrupted: ["turnId", "by", "spokenText", "yieldLatencyMs", "falseInterruption"],
        .turnCompleted: ["turnId", "endToEndLatencyMs"],
        .turnFailed: ["turnId", "stage", "errorType", "message", "retryable"],
    ]
}
