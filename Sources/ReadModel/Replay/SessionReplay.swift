public import EventModel

/// Replays a session: a pure fold of its events, which reads nothing but what it is given.
///
/// ```swift
/// var replay = SessionReplay(session: id, prices: try await readModels.prices())
/// for event in events { show(replay.apply(event)) }
/// print(replay.snapshot.state)
/// ```
public struct SessionReplay: Sendable {
    /// Where a replay ends.
    public enum End: Hashable, Sendable {
        /// After this version.
        case version(Int)
        /// Before the first event that happened later.
        case moment(Timestamp)

        /// Whether an event is still replayed.
        public func includes(_ event: RecordedEvent) -> Bool {
            switch self {
            case .version(let last): event.version <= last
            case .moment(let last): event.occurredAt <= last
            }
        }
    }

    /// The session after the events that were applied.
    public private(set) var snapshot: SessionSnapshot
    private let prices: PriceList
    /// What offsets count from.
    private var begin: Timestamp?

    /// Begins before the session's first event.
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - prices: What tokens cost, for calls whose cost was not recorded.
    ///   - begin: What the frames' offsets count from, such as the earliest time of all events; nil for the time of the
    ///     first event that is applied, before which others of the session may have happened.
    public init(session: StreamID, prices: [ModelPrice] = [], begin: Timestamp? = nil) {
        snapshot = SessionSnapshot(session: session)
        self.begin = begin
        self.prices = PriceList(prices)
    }

    /// Applies the next event.
    ///
    /// - Parameter event: The stream's next event; fields that break the contract count as absent. A number may also be
    ///   a string that holds one, as for the read models.
    /// - Returns: The frame to show.
    public mutating func apply(_ event: RecordedEvent) -> ReplayFrame {
        let data = Self.data(of: event)
        let start = begin ?? event.occurredAt
        begin = start
        snapshot.at = event.occurredAt
        snapshot.version = event.version
        // A UUID means the same in capitals. In other types, a field of this name is no turn.
        let id = Self.typesOfTurns.contains(event.type) ? data["turnId"]?.string?.lowercased() : nil
        let turn = id.map { turnIndex(of: $0) }
        let misfits = Self.misfits(event.type, data)
        snapshot.misfits += misfits.count
        let call = Call(event, data, misfits: misfits, prices: prices)
        if let call { count(call, turn: turn) }
        change(by: event, data, turn: turn)
        return ReplayFrame(
            version: event.version,
            type: event.type,
            at: event.occurredAt,
            offset: event.occurredAt.duration(since: start),
            state: snapshot.state,
            turnIndex: turn.flatMap { snapshot.turns[$0].index },
            speaker: Self.speaker(event.type),
            text: Self.text(event.type, data),
            latencies: Self.latencies(event.type, data),
            cost: call?.cost,
            costSoFar: snapshot.totalCost,
            uncostedCalls: snapshot.uncostedCalls,
            erased: event.erased,
            misfits: misfits
        )
    }

    private static let typesOfTurns: Set<EventType> = [
        .turnStarted, .turnTranscribed, .turnRetrieved, .turnGenerated,
        .turnSynthesized, .turnInterrupted, .turnCompleted, .turnFailed,
    ]

    /// An event's data, with the text `erased` in place of each erased member.
    private static func data(of event: RecordedEvent) -> JSONValue {
        guard let data = try? JSONValue(json: event.data) else { return .object([]) }
        guard !event.erased.isEmpty, case .object(let members) = data else { return data }
        return .object(
            members.map { member in
                event.erased.contains("data.\(member.name)") ? .init(member.name, .string("erased")) : member
            }
        )
    }

    /// A turn's index among the turns; a new one is added.
    private mutating func turnIndex(of id: String) -> Int {
        if let index = snapshot.turns.lastIndex(where: { $0.id == id }) { return index }
        snapshot.turns.append(SessionSnapshot.Turn(id: id))
        return snapshot.turns.count - 1
    }

    private mutating func count(_ call: Call, turn: Int?) {
        if let turn, let milliseconds = call.milliseconds {
            let before = snapshot.turns[turn].stages[call.stage]
            snapshot.turns[turn].stages[call.stage] = before.map { $0 + milliseconds } ?? milliseconds
        }
        guard let cost = call.cost else {
            guard !call.isFree else { return }
            snapshot.uncostedCalls += 1
            if let turn { snapshot.turns[turn].uncostedCalls += 1 }
            return
        }
        snapshot.totalCost = (snapshot.totalCost ?? .zero) + cost
        if let turn { snapshot.turns[turn].cost = (snapshot.turns[turn].cost ?? .zero) + cost }
    }

    private mutating func change(by event: RecordedEvent, _ data: JSONValue, turn: Int?) {
        switch event.type {
        case .sessionStarted:
            snapshot.startedAt = event.occurredAt
            snapshot.userID = data["userId"]?.string?.lowercased()
            snapshot.asrProvider = data["asrProvider"]?.string
            snapshot.llmProvider = data["llmProvider"]?.string
            snapshot.ttsProvider = data["ttsProvider"]?.string
        case .sessionStateChanged: changeState(data)
        case .sessionEnded: snapshot.endedAt = event.occurredAt
        case .turnFailed:
            snapshot.errorCount += 1
            if let turn { snapshot.turns[turn].fail(data) }
        case .turnStarted:
            if let turn {
                snapshot.turns[turn].index = data["turnIndex"]?.integer
                snapshot.turns[turn].startedAt = snapshot.turns[turn].startedAt ?? event.occurredAt
            }
        default:
            if let turn { snapshot.turns[turn].apply(event.type, data) }
        }
    }

    private mutating func changeState(_ data: JSONValue) {
        guard let to = data["to"]?.string else {
            // A change that names no state is in no table of transitions either.
            snapshot.anomalies += 1
            return
        }
        let from = data["from"]?.string
        let isRegular =
            from == snapshot.state
            && from.flatMap(SessionState.init)?.successors.contains { $0.rawValue == to } == true
        if !isRegular { snapshot.anomalies += 1 }
        if to == SessionState.error.rawValue { snapshot.errorCount += 1 }
        snapshot.state = to
    }
}

extension SessionSnapshot.Turn {
    fileprivate mutating func apply(_ type: EventType, _ data: JSONValue) {
        switch type {
        case .turnTranscribed, .turnRetrieved, .turnGenerated, .turnSynthesized:
            // Any stage may report them.
            userTranscript = Self.joined(userTranscript, data["userTranscript"]?.string)
            llmResponse = Self.joined(llmResponse, data["llmResponse"]?.string)
            if type == .turnGenerated {
                firstTokenMs = firstTokenMs ?? data["timeToFirstTokenMs"]?.milliseconds?.double
            }
        case .turnInterrupted:
            interrupted = true
            spokenText = data["spokenText"]?.string
        case .turnCompleted:
            status = interrupted ? "interrupted" : "completed"
            endToEndLatencyMs = data["endToEndLatencyMs"]?.milliseconds?.double
        default: break
        }
    }

    fileprivate mutating func fail(_ data: JSONValue) {
        status = "failed"
        errorType = data["errorType"]?.string ?? errorType
    }

    private static func joined(_ before: String?, _ text: String?) -> String? {
        guard let before, let text else { return before ?? text }
        return before + "\n" + text
    }
}
