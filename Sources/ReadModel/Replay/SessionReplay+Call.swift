internal import EventModel

extension SessionReplay {
    /// One run of a stage: what it took and cost.
    struct Call {
        let stage: TurnStage
        /// How long it took, exactly.
        let milliseconds: Milliseconds?
        /// What it cost: as recorded, else computed from its tokens.
        let cost: Money?
        /// Whether no cost is expected: a retrieval without one is free.
        let isFree: Bool

        /// The call that an event is about; nil if it is about none.
        init?(_ event: RecordedEvent, _ data: JSONValue, prices: PriceList) {
            let stages: [EventType: TurnStage] = [
                .turnTranscribed: .asr, .turnRetrieved: .rag, .turnGenerated: .llm, .turnSynthesized: .tts,
            ]
            guard let stage = stages[event.type] else { return nil }
            self.stage = stage
            milliseconds = data["\(stage.rawValue)LatencyMs"]?.milliseconds
            let recorded = data["\(stage.rawValue)Cost"]?.money
            cost = recorded ?? (stage == .llm ? prices.cost(of: data, at: event.occurredAt) : nil)
            isFree = stage == .rag && recorded == nil
        }
    }

    /// Who is heard in an event.
    static func speaker(_ type: EventType) -> ReplayFrame.Speaker {
        switch type {
        case .turnTranscribed: .user
        case .turnGenerated, .turnSynthesized: .agent
        default: .system
        }
    }

    /// What is said in an event, or what happens.
    static func text(_ type: EventType, _ data: JSONValue) -> String? {
        switch type {
        case .turnTranscribed: return data["userTranscript"]?.string
        case .turnGenerated: return data["llmResponse"]?.string
        case .turnRetrieved: return data["query"]?.string
        case .sessionStateChanged:
            let reason = data["reason"]?.string.map { " (\($0))" } ?? ""
            return "\(data["from"]?.string ?? "?") → \(data["to"]?.string ?? "?")\(reason)"
        case .sessionEnded: return data["reason"]?.string
        case .turnInterrupted:
            let heard = data["spokenText"]?.string.map { ", heard so far: \($0)" } ?? ""
            return "cut in by \(data["by"]?.string ?? "?")\(heard)"
        case .turnFailed:
            let parts = [data["stage"]?.string, data["errorType"]?.string, data["message"]?.string]
            return parts.compactMap(\.self).joined(separator: ": ")
        default: return nil
        }
    }

    /// The latencies that an event measured.
    static func latencies(_ type: EventType, _ data: JSONValue) -> [ReplayFrame.Latency] {
        let fields: [(field: String, name: String)] =
            switch type {
            case .turnTranscribed: [("asrLatencyMs", "asr")]
            case .turnRetrieved: [("ragLatencyMs", "rag")]
            case .turnGenerated: [("timeToFirstTokenMs", "llm_first_token"), ("llmLatencyMs", "llm")]
            case .turnSynthesized: [("timeToFirstByteMs", "tts_first_byte"), ("ttsLatencyMs", "tts")]
            case .turnInterrupted: [("yieldLatencyMs", "yield")]
            case .turnCompleted: [("endToEndLatencyMs", "turn")]
            default: []
            }
        return fields.compactMap { field, name in
            data[field]?.milliseconds.map { ReplayFrame.Latency(name: name, milliseconds: $0.double) }
        }
    }
}
