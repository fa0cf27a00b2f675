import EventModel
import FoundationEssentials

/// One conversation while it is being made up: its clock, its state, and the events so far.
struct SessionRun: Sendable {
    /// The conversation's stream, a UUIDv7 of its beginning.
    let stream: StreamID
    /// The events so far.
    private(set) var events: [EventLine] = []

    let visitor: SimulatedUser
    let scenario: Scenario
    let slots: [[UInt8]]
    let recognizer: Provider
    let model: Provider
    let synthesizer: Provider
    let isTraced: Bool
    var source: SeededSource
    var clock: Timestamp
    var machine = SessionStateMachine()
    var turn: UUID
    var turnIndex = 0
    var trace: (high: UInt64, low: UInt64) = (0, 0)
    /// Tokens of the conversation so far, which every call of the model reads again.
    var contextTokens = 420
    /// Tokens of the previous call, which a provider may have in its cache.
    var cachedTokens = 0
    var data = JSONWriter(capacity: 1024)
    private var metadata = JSONWriter(capacity: 256)

    init(visitor: SimulatedUser, startingAt start: Timestamp, source: consuming SeededSource) {
        self.visitor = visitor
        clock = start
        stream = StreamID(UUID(version7At: start, randomHigh: source.next(), randomLow: source.next()))
        turn = stream.uuid
        scenario = source.happens(perMille: 40) ? .anywhere : source.pick(Scenario.all)
        recognizer = source.pick(Provider.recognizers)
        model = source.pick(Provider.models)
        synthesizer = source.pick(Provider.synthesizers)
        isTraced = source.happens(perMille: 850)
        slots = Slot.allCases.map { slot in
            switch slot {
            case .name: visitor.name
            case .digits: Array(String(source.within(1000...9999)).utf8)
            case .ref: Array(("R" + String(source.within(100_000...999_999))).utf8)
            default: Array(source.pick(slot.values).utf8)
            }
        }
        self.source = source
        events.reserveCapacity(160)
    }

    /// Goes through the whole conversation.
    mutating func converse() {
        start()
        if source.happens(perMille: 600) { greet() } else { change(to: .listening) }
        let exchanges = plan()
        let hangsUpAfter = source.happens(perMille: 60) ? source.within(3...9) : exchanges.count
        for exchange in exchanges.prefix(hangsUpAfter) {
            guard answer(exchange) else { return end(reason: "error") }
            pause(median: 700, sigma: 0.8)
        }
        // Some services die before they can say that a session ended.
        if source.happens(perMille: 40) { return }
        end(reason: hangsUpAfter < exchanges.count ? "user_hung_up" : source.pick(SessionRun.endings))
    }

    private static let endings = [
        "completed", "completed", "completed", "completed", "completed", "transferred", "timeout",
    ]

    /// What comes up in this call, in order.
    private mutating func plan() -> [Scenario.Exchange] {
        var exchanges: [Scenario.Exchange] = []
        for step in scenario.steps where source.happens(perMille: 880) {
            if source.happens(perMille: 330) { exchanges.append(source.pick(Scenario.anywhere.steps)) }
            exchanges.append(step)
        }
        return [source.pick(scenario.openings)] + exchanges + [source.pick(scenario.closings)]
    }

    /// Lets time pass: half of all pauses are shorter than `median` milliseconds.
    mutating func pause(median: Double, sigma: Double) {
        advance(tenths: Int64(source.logNormal(median: median * 10, sigma: sigma)))
    }

    /// Lets tenths of a millisecond pass.
    mutating func advance(tenths: Int64) { clock = clock.advanced(by: .microseconds(tenths * 100)) }

    /// A UUIDv7 of now.
    mutating func uuid() -> UUID { UUID(version7At: clock, randomHigh: source.next(), randomLow: source.next()) }

    /// Changes the state and appends an event of it; a conversation only makes transitions that are in the table.
    mutating func change(to next: SessionState, reason: String? = nil) {
        guard machine.state != next else { return }
        let from = machine.state
        let isRegular = machine.record(from: from, to: next)
        precondition(isRegular, "the simulator goes from \(from) to \(next)")
        data.removeAll()
        data.beginObject()
        data.key("from")
        data.string(from.rawValue)
        data.key("to")
        data.string(next.rawValue)
        if let reason {
            data.key("reason")
            data.string(reason)
        }
        append(.sessionStateChanged, actor: "dialogue-manager", isSpan: false)
    }

    /// Closes the object in ``data`` and appends it as an event of now.
    ///
    /// - Parameters:
    ///   - type: What happened.
    ///   - actor: The service that reports it; if left out, the visitor, with their address and program.
    ///   - isSpan: Whether the event is a span of the turn's trace.
    mutating func append(_ type: EventType, actor: String? = nil, isSpan: Bool = true) {
        data.endObject()
        metadata.removeAll()
        metadata.beginObject()
        metadata.key("actor")
        if let actor {
            metadata.string(actor)
        } else {
            metadata.plain { visitor.id.appendText(to: &$0) }
            metadata.key("ipAddress")
            metadata.string(visitor.address)
            metadata.key("userAgent")
            metadata.string(visitor.agent)
        }
        if isTraced {
            metadata.key("traceId")
            metadata.plain { [trace] bytes in
                SessionRun.appendHexadecimal(trace.high, to: &bytes)
                SessionRun.appendHexadecimal(trace.low, to: &bytes)
            }
            if isSpan {
                let span = source.next()
                metadata.key("spanId")
                metadata.plain { SessionRun.appendHexadecimal(span, to: &$0) }
            }
        }
        metadata.endObject()
        let event = EventDraft(
            valid: EventID(uuid()),
            type: type,
            occurredAt: clock,
            data: data.bytes,
            metadata: metadata.bytes
        )
        events.append(EventLine(stream: stream, event: event))
    }

    /// Appends sixteen hexadecimal digits.
    static func appendHexadecimal(_ word: UInt64, to bytes: inout [UInt8]) {
        for place in stride(from: UInt64(60), through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: word >> place & 0xF)
            bytes.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
        }
    }
}
