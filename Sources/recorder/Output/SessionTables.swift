import EventModel
import ReadModel

/// Sessions and turns as tables and as JSON.
enum SessionTables {
    /// Sessions, one a row.
    static let sessions = TextTable<Session>([
        .init("session") { $0.id.description },
        .init("started (UTC)") { Figures.moment($0.startedAt) },
        .init("state") { $0.state },
        .init("events", .right) { "\($0.version)" },
        .init("turns", .right) { "\($0.totalTurns)" },
        .init("cut", .right) { "\($0.interruptedTurns)" },
        .init("errors", .right) { "\($0.errorCount)" },
        .init("anomalies", .right) { "\($0.anomalies)" },
        .init("mean ms", .right) { Figures.milliseconds($0.averageLatencyMs) },
        .init("cost", .right) { Figures.dollars($0.totalCost, isPartial: $0.uncostedCalls > 0) },
        .init("language model") { $0.llmProvider },
    ])

    /// A session's turns, one a row.
    static let turns = TextTable<Turn>([
        .init("turn", .right) { $0.index.map(String.init) },
        .init("status") { $0.status },
        .init("asr", .right) { Figures.milliseconds($0.latencies.asrMs) },
        .init("rag", .right) { Figures.milliseconds($0.latencies.ragMs) },
        .init("1st token", .right) { Figures.milliseconds($0.latencies.firstTokenMs) },
        .init("llm", .right) { Figures.milliseconds($0.latencies.llmMs) },
        .init("tts", .right) { Figures.milliseconds($0.latencies.ttsMs) },
        .init("turn ms", .right) { Figures.milliseconds($0.latencies.totalMs) },
        .init("cost", .right) { Figures.dollars($0.costs.total) },
        .init("user", isFlexible: true) { $0.userTranscript?.cut(to: textWidth) },
        .init("agent", isFlexible: true) { ($0.spokenText ?? $0.llmResponse)?.cut(to: textWidth) },
    ])

    /// How much of a text a table shows.
    private static let textWidth = 60

    /// Writes a session's fields.
    static func write(_ session: Session, to line: inout JSONLine) {
        line.field("id", session.id.description)
        line.field("userId", session.userID?.description)
        line.field("state", session.state)
        line.field("asrProvider", session.asrProvider)
        line.field("llmProvider", session.llmProvider)
        line.field("ttsProvider", session.ttsProvider)
        line.field("startedAt", session.startedAt)
        line.field("endedAt", session.endedAt)
        line.field("lastEventAt", session.lastEventAt)
        line.field("version", session.version)
        line.field("totalTurns", session.totalTurns)
        line.field("measuredTurns", session.measuredTurns)
        line.field("averageLatencyMs", session.averageLatencyMs)
        line.field("totalCost", session.totalCost)
        line.field("uncostedCalls", session.uncostedCalls)
        line.field("interruptedTurns", session.interruptedTurns)
        line.field("errorCount", session.errorCount)
        line.field("anomalies", session.anomalies)
        line.object("timeInState") { line in
            for (state, milliseconds) in session.timeInState.sorted(by: { $0.key < $1.key }) {
                line.field(state, milliseconds)
            }
        }
        line.field("config", session.config)
    }

    /// Writes a turn's fields.
    static func write(_ turn: Turn, to line: inout JSONLine) {
        line.field("turnId", turn.id.text)
        line.field("turnIndex", turn.index)
        line.field("status", turn.status)
        line.field("startedAt", turn.startedAt)
        line.field("completedAt", turn.completedAt)
        line.field("userTranscript", turn.userTranscript)
        line.field("llmResponse", turn.llmResponse)
        line.field("spokenText", turn.spokenText)
        line.field("interrupted", turn.interrupted)
        line.field("asrLatencyMs", turn.latencies.asrMs)
        line.field("ragLatencyMs", turn.latencies.ragMs)
        line.field("llmLatencyMs", turn.latencies.llmMs)
        line.field("ttsLatencyMs", turn.latencies.ttsMs)
        line.field("firstTokenMs", turn.latencies.firstTokenMs)
        line.field("endToEndLatencyMs", turn.latencies.endToEndMs)
        line.field("latencyMs", turn.latencies.totalMs)
        line.field("asrCost", turn.costs.asr)
        line.field("ragCost", turn.costs.rag)
        line.field("llmCost", turn.costs.llm)
        line.field("ttsCost", turn.costs.tts)
        line.field("totalCost", turn.costs.total)
        line.field("model", turn.model)
        line.field("inputTokens", turn.inputTokens)
        line.field("cachedInputTokens", turn.cachedInputTokens)
        line.field("outputTokens", turn.outputTokens)
        line.field("errorType", turn.errorType)
    }
}
