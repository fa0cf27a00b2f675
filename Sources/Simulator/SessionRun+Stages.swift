import EventModel

extension SessionRun {
    /// The user speaks and is understood, in one piece or two, at the second attempt if need be.
    ///
    /// - Returns: How long recognition took after the last word, in tenths of a millisecond.
    mutating func listen(_ text: [UInt8]) -> Int64 {
        let half = Transcript.half(of: text)
        guard half > 0, source.happens(perMille: 50) else { return transcribe(text) }
        _ = transcribe(Array(text[..<half]))
        pause(median: 500, sigma: 0.5)
        return transcribe(Array(text[(half + 1)...]))
    }

    private mutating func transcribe(_ text: [UInt8]) -> Int64 {
        let heard = recognizer.name == "google-speech" ? Transcript.plain(text) : text
        // Hundredths of a second, at about fourteen characters a second.
        let audio = Int64(60 + text.count * 7) + Int64(source.below(40))
        advance(tenths: audio * 100)
        if source.happens(perMille: 15) { _ = fail(.asr, isRetryable: true) }
        let latency = latency(of: recognizer)
        advance(tenths: latency)
        let alternatives =
            recognizer.name == "whisper-local" || !source.happens(perMille: 350)
            ? [] : (0..<source.within(1...4)).map { _ in Transcript.misheard(heard, source: &source) }
        data.removeAll()
        data.beginObject()
        addTurn()
        data.key("userTranscript")
        data.plain { $0.append(contentsOf: heard) }
        data.key("confidence")
        data.decimal(Int64(99 - min(55, source.below(30) * source.below(30) / 12)), places: 2)
        if !alternatives.isEmpty {
            data.key("alternatives")
            data.beginArray()
            data.plain { $0.append(contentsOf: heard) }
            for alternative in alternatives { data.plain { $0.append(contentsOf: alternative) } }
            data.endArray()
        }
        add("asrLatencyMs", latency, missingPerMille: 20)
        addCost("asrCost", recognizer.price * audio / 100, recognizer.billing)
        data.key("audioSeconds")
        data.decimal(audio, places: 2)
        data.key("asrProvider")
        data.string(recognizer.name)
        data.key("model")
        data.string(recognizer.model)
        append(.turnTranscribed, actor: "asr-gateway")
        contextTokens += text.count / 4 + 8
        return latency
    }

    /// Looks something up, or calls a tool, and finds what the script says.
    ///
    /// - Returns: How long it took, in tenths of a millisecond.
    mutating func retrieve(_ query: [UInt8], _ found: [Phrase]) -> Int64 {
        var waited: Int64 = 0
        if source.happens(perMille: 12) { waited += fail(.rag, isRetryable: true) }
        let isHit = source.happens(perMille: 220)
        let latency = Int64(source.logNormal(median: isHit ? 35 : 480, sigma: 0.7)) + 5
        advance(tenths: latency)
        data.removeAll()
        data.beginObject()
        addTurn()
        data.key("query")
        data.plain { $0.append(contentsOf: query) }
        data.key("documents")
        data.beginArray()
        for document in found {
            data.beginObject()
            data.key("id")
            data.string("doc-\(source.within(1000...9999))")
            data.key("score")
            data.decimal(Int64(source.within(520...970)), places: 3)
            data.key("text")
            data.plain { [slots] in document.append(to: &$0, filling: slots) }
            data.endObject()
        }
        data.endArray()
        add("ragLatencyMs", latency, missingPerMille: 15)
        if source.happens(perMille: 300) {
            data.key("ragCost")
            data.plain { JSONWriter.appendDecimal(isHit ? 0 : 20_000, places: 9, to: &$0) }
        }
        data.key("cacheHit")
        data.bool(isHit)
        append(.turnRetrieved, actor: "retrieval")
        contextTokens += 40 * found.count
        return waited + latency
    }

    /// The model answers, or calls a tool where `text` is nil.
    ///
    /// - Returns: How long its first token took, in tenths of a millisecond.
    mutating func generate(_ text: [UInt8]?) -> Int64 {
        let latency = latency(of: model)
        let first = latency * Int64(source.within(25...60)) / 100
        let reasoning = model.model == "qwen3-14b-voice" && source.happens(perMille: 500) ? source.within(20...180) : 0
        let output = max(1, (text?.count ?? 80) / 4 + source.below(6)) + reasoning
        advance(tenths: latency)
        data.removeAll()
        data.beginObject()
        addTurn()
        if let text {
            data.key("llmResponse")
            data.plain { $0.append(contentsOf: text) }
        }
        add("llmLatencyMs", latency, missingPerMille: 20)
        add("timeToFirstTokenMs", first, missingPerMille: 60)
        data.key("llmProvider")
        data.string(model.name)
        data.key("model")
        data.string(model.model)
        if !source.happens(perMille: 12) {
            data.key("inputTokens")
            data.integer(Int64(contextTokens))
            if model.name == "anthropic", cachedTokens > 0 {
                data.key("cachedInputTokens")
                data.integer(Int64(cachedTokens))
            }
            data.key("outputTokens")
            data.integer(Int64(output))
            if reasoning > 0 {
                data.key("reasoningTokens")
                data.integer(Int64(reasoning))
            }
        }
        addCost("llmCost", model.price * Int64(contextTokens) + model.outputPrice * Int64(output), model.billing)
        data.key("finishReason")
        data.string(text == nil ? "tool_calls" : "stop")
        if model.name != "in-house" {
            let request = source.next()
            data.key("requestId")
            data.plain {
                $0.append(contentsOf: "req_".utf8)
                SessionRun.appendHexadecimal(request, to: &$0)
            }
        }
        append(.turnGenerated, actor: "llm-gateway")
        cachedTokens = contextTokens
        contextTokens += output
        return first
    }

    /// The answer becomes speech.
    ///
    /// - Returns: How long its first sound took, in tenths of a millisecond.
    mutating func synthesize(_ text: [UInt8]) -> Int64 {
        var waited: Int64 = 0
        if source.happens(perMille: 12) { waited += fail(.tts, isRetryable: true) }
        let latency = latency(of: synthesizer)
        let first = latency * Int64(source.within(30...70)) / 100
        advance(tenths: latency)
        let characters = text.reduce(into: Int64(0)) { count, byte in count += byte & 0xC0 == 0x80 ? 0 : 1 }
        data.removeAll()
        data.beginObject()
        addTurn()
        add("ttsLatencyMs", latency, missingPerMille: 15)
        add("timeToFirstByteMs", first, missingPerMille: 250)
        data.key("characters")
        data.integer(characters)
        data.key("audioSeconds")
        data.decimal(characters * 55 / 10, places: 2)
        addCost("ttsCost", synthesizer.price * characters, synthesizer.billing)
        data.key("ttsProvider")
        data.string(synthesizer.name)
        data.key("model")
        data.string(synthesizer.model)
        append(.turnSynthesized, actor: "tts-gateway")
        return waited + first
    }

    /// A stage fails; if it can be retried, some time passes before that.
    ///
    /// - Returns: How much time was lost, in tenths of a millisecond.
    mutating func fail(_ stage: TurnStage, isRetryable: Bool) -> Int64 {
        let (kind, message) =
            isRetryable
            ? source.pick(SessionRun.failures)
            : ("content_filter", "the provider refused the request; another attempt will not help")
        let lost = Int64(source.logNormal(median: kind == "timeout" ? 30_000 : 900, sigma: 0.3))
        advance(tenths: lost)
        data.removeAll()
        data.beginObject()
        addTurn()
        data.key("stage")
        data.string(stage.rawValue)
        data.key("errorType")
        data.string(kind)
        data.key("message")
        data.string(message)
        data.key("retryable")
        data.bool(isRetryable)
        append(.turnFailed, actor: "\(stage.rawValue)-gateway")
        guard isRetryable else { return lost }
        let wait = Int64(source.within(1000...4000))
        advance(tenths: wait)
        return lost + wait
    }

    private static let failures = [
        ("timeout", "no answer within three seconds"),
        ("overloaded", "status 529: the service is overloaded, try again later"),
        ("rate_limited", "status 429: too many requests a minute"),
        ("connection_reset", "the connection was reset by the peer"),
        ("server_error", "status 500: internal error"),
    ]

    private mutating func latency(of provider: Provider) -> Int64 {
        min(600_000, max(50, Int64(source.logNormal(median: provider.median * 10, sigma: provider.sigma))))
    }

    /// Writes tenths of a millisecond, unless the measurement was lost.
    private mutating func add(_ name: String, _ tenths: Int64, missingPerMille: Int) {
        guard !source.happens(perMille: missingPerMille) else { return }
        data.key(name)
        data.decimal(tenths, places: 1)
    }

    /// Writes billionths of a US dollar the way the provider bills; one in fifty is lost.
    private mutating func addCost(_ name: String, _ billionths: Int64, _ billing: Provider.Billing) {
        guard !source.happens(perMille: 20) else { return }
        switch billing {
        case .absent: return
        case .number:
            data.key(name)
            data.decimal(billionths, places: 9)
        case .text:
            data.key(name)
            data.plain { JSONWriter.appendDecimal(billionths, places: 9, to: &$0) }
        }
    }
}
