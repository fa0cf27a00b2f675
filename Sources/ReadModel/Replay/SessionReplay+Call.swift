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
        ///
        /// - Parameter misfits: Members that do not fit: a cost that was recorded so is unknown, and none is computed
        ///   from such tokens.
        init?(_ event: RecordedEvent, _ data: JSONValue, misfits: [String], prices: PriceList) {
            let stages: [EventType: TurnStage] = [
                .turnTranscribed: .asr, .turnRetrieved: .rag, .turnGenerated: .llm, .turnSynthesized: .tts,
            ]
            guard let stage = stages[event.type] else { return nil }
            self.stage = stage
            milliseconds = data["\(stage.rawValue)LatencyMs"]?.milliseconds
            let recorded = data["\(stage.rawValue)Cost"]?.money
            let isComputable = stage == .llm && misfits.allSatisfy { $0.hasSuffix("Ms") }
            cost = recorded ?? (isComputable ? prices.cost(of: data, at: event.occurredAt) : nil)
            isFree = stage == .rag && recorded == nil && !misfits.contains("ragCost")
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

    /// The members of an event that should be numbers and are not, by their names. The read models stop at such an
    /// event.
    static func misfits(_ type: EventType, _ data: JSONValue) -> [String] {
        guard let fields = type.fields, case .object(let members) = data else { return [] }
        return members.filter { member in
            guard fields.contains(member.name), member.value != .null else { return false }
            if member.name.hasSuffix("Ms") || member.name.hasSuffix("Cost") { return member.value.money == nil }
            return member.name.hasSuffix("Tokens") && member.value.integer == nil && member.value.money == nil
        }.map(\.name)
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
