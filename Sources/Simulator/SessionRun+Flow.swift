import EventModel

extension SessionRun {
    /// The session begins.
    mutating func start() {
        trace = (source.next(), source.next())
        let voice = uuid()
        data.removeAll()
        data.beginObject()
        data.key("userId")
        data.plain { visitor.id.appendText(to: &$0) }
        data.key("asrProvider")
        data.string(recognizer.name)
        data.key("llmProvider")
        data.string(model.name)
        data.key("ttsProvider")
        data.string(synthesizer.name)
        data.key("voiceModelId")
        data.plain { voice.appendText(to: &$0) }
        if source.happens(perMille: 300) {
            let face = uuid()
            data.key("faceModelId")
            data.plain { face.appendText(to: &$0) }
        }
        data.key("config")
        data.beginObject()
        data.key("scenario")
        data.string(scenario.name)
        data.key("models")
        data.beginObject()
        data.key("asr")
        data.string(recognizer.model)
        data.key("llm")
        data.string(model.model)
        data.key("tts")
        data.string(synthesizer.model)
        data.endObject()
        data.key("endpointing")
        data.beginObject()
        data.key("silenceMs")
        data.integer(Int64(source.pick([300, 500, 700])))
        data.key("bargeIn")
        data.bool(true)
        data.endObject()
        data.key("version")
        data.string(source.pick(["2026.2.0", "2026.2.1", "2026.3.0"]))
        data.endObject()
        append(.sessionStarted)
        pause(median: 120, sigma: 0.5)
    }

    /// The agent speaks first: a turn without a transcript.
    mutating func greet() {
        startTurn()
        change(to: .processing)
        let text = phrase(source.pick(Scenario.anywhere.openings).agent)
        _ = generate(text)
        _ = synthesize(text)
        change(to: .speaking)
        advance(tenths: Int64(text.count) * 550)
        completeTurn(endToEnd: nil)
        change(to: .listening)
    }

    /// The user says something and is answered.
    ///
    /// - Returns: Whether the conversation can go on.
    mutating func answer(_ exchange: Scenario.Exchange) -> Bool {
        change(to: .listening)
        startTurn()
        var waited = listen(phrase(exchange.user))
        change(to: .processing)
        if let query = exchange.query { waited += retrieve(phrase([query]), exchange.found) }
        if let tool = exchange.tool {
            waited += generate(nil)
            waited += retrieve(Array(tool.utf8), exchange.found)
        }
        if source.happens(perMille: 35) { waited += fail(.llm, isRetryable: true) }
        if source.happens(perMille: 6) { return giveUp() }
        let text = phrase(exchange.agent)
        waited += generate(text)
        waited += synthesize(text)
        change(to: .speaking)
        let isCut = speak(text)
        // After an interruption, the end of the turn is not always reported.
        if !isCut || source.happens(perMille: 700) {
            completeTurn(endToEnd: source.happens(perMille: 850) ? waited + Int64(source.below(300)) : nil)
        }
        change(to: .listening)
        return true
    }

    /// The session ends.
    mutating func end(reason: String) {
        change(to: .idle)
        data.removeAll()
        data.beginObject()
        data.key("reason")
        data.string(reason)
        append(.sessionEnded, actor: "dialogue-manager")
    }

    /// The model fails for good: the turn is lost, and sometimes the session.
    private mutating func giveUp() -> Bool {
        _ = fail(.llm, isRetryable: false)
        change(to: .error, reason: "llm failed")
        pause(median: 900, sigma: 0.4)
        guard source.happens(perMille: 700) else { return false }
        change(to: .listening, reason: "recovered")
        return true
    }

    /// The agent speaks, unless the user cuts in.
    ///
    /// - Returns: Whether the user cut in and the rest stayed unsaid.
    private mutating func speak(_ text: [UInt8]) -> Bool {
        let spoken = Transcript.half(of: text)
        let isFalse = source.happens(perMille: 30)
        guard spoken > 0, isFalse || source.happens(perMille: 90) else {
            advance(tenths: Int64(text.count) * 550)
            return false
        }
        advance(tenths: Int64(spoken) * 550)
        let yield = Int64(source.logNormal(median: 2200, sigma: 0.5))
        data.removeAll()
        data.beginObject()
        addTurn()
        data.key("by")
        data.string("user")
        data.key("spokenText")
        data.plain { $0.append(contentsOf: text[..<spoken]) }
        data.key("yieldLatencyMs")
        data.decimal(yield, places: 1)
        if isFalse {
            data.key("falseInterruption")
            data.bool(true)
        }
        advance(tenths: yield)
        append(.turnInterrupted, actor: "dialogue-manager")
        change(to: .interrupted, reason: isFalse ? nil : "barge-in")
        guard isFalse else { return true }
        pause(median: 600, sigma: 0.3)
        change(to: .processing, reason: "false interruption")
        change(to: .speaking, reason: "resumed")
        advance(tenths: Int64(text.count - spoken) * 550)
        return false
    }

    private mutating func startTurn() {
        trace = (source.next(), source.next())
        turnIndex += 1
        turn = uuid()
        data.removeAll()
        data.beginObject()
        addTurn()
        data.key("turnIndex")
        data.integer(Int64(turnIndex))
        append(.turnStarted, actor: "dialogue-manager")
    }

    private mutating func completeTurn(endToEnd: Int64?) {
        data.removeAll()
        data.beginObject()
        addTurn()
        if let endToEnd {
            data.key("endToEndLatencyMs")
            data.decimal(endToEnd, places: 1)
        }
        append(.turnCompleted, actor: "dialogue-manager")
    }

    /// Writes the turn's id.
    mutating func addTurn() {
        data.key("turnId")
        data.plain { [turn] in turn.appendText(to: &$0) }
    }

    /// One of the phrases with its slots filled.
    private mutating func phrase(_ choices: [Phrase]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(160)
        source.pick(choices).append(to: &text, filling: slots)
        return text
    }
}
