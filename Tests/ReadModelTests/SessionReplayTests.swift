import EventModel
import ReadModel
import Testing

/// The pure fold that `recorder replay` shows.
@Suite struct SessionReplayTests {
    private static let session = StreamID.generate(at: Timestamp(microseconds: 1_772_438_400_000_000))
    private static let turn = #""turnId": "019cad8f-ac00-77ad-8af0-d5366213401d""#

    /// Events one second apart.
    private static func events(_ all: [(type: String, data: String)]) throws -> [RecordedEvent] {
        try all.enumerated().map { index, event in
            let at = Timestamp(microseconds: 1_772_438_400_000_000 + Int64(index) * 1_000_000)
            return RecordedEvent(
                stream: session,
                id: .generate(at: at),
                type: try EventType(event.type),
                version: index + 1,
                position: Int64(index + 1),
                occurredAt: at,
                recordedAt: at,
                data: Array("{\(event.data)}".utf8),
                metadata: Array("{}".utf8)
            )
        }
    }

    private static let conversation: [(type: String, data: String)] = [
        ("session.started", #""userId": "u", "llmProvider": "anthropic""#),
        ("session.state_changed", #""from": "idle", "to": "listening""#),
        ("turn.started", #"\#(turn), "turnIndex": 1"#),
        ("turn.transcribed", #"\#(turn), "userTranscript": "hello", "asrLatencyMs": 120.5, "asrCost": "0.0001""#),
        (
            "turn.generated",
            #"\#(turn), "llmResponse": "let me see", "llmLatencyMs": 400, "model": "m", "inputTokens": 1000, "cachedInputTokens": 400, "outputTokens": 10"#
        ),
        ("turn.generated", #"\#(turn), "llmResponse": "good day", "llmLatencyMs": 300, "llmCost": 0.25"#),
        ("session.state_changed", #""from": "speaking", "to": "idle""#),
        ("turn.completed", turn),
        ("session.ended", #""reason": "completed""#),
    ]

    private static func prices() throws -> [ModelPrice] {
        try ModelPrice.list(
            json: Array(#"{"models": {"m": {"input": "0.001", "input_cache_read": "0.0001", "output": "0.01"}}}"#.utf8)
        )
    }

    @Test func `no event is waited for longer than the one behind it, and times count from the earliest`() throws {
        func moment(_ seconds: Int64) -> Timestamp {
            Timestamp(microseconds: 1_772_438_400_000_000 + seconds * 1_000_000)
        }
        let late = ReplaySchedule([900_000, 0, 1, 800_000, 2, 60].map(moment))
        #expect(late.begin == moment(0))
        #expect((0..<6).map { late.offset(at: $0) } == [0, 0, 1, 2, 2, 60].map { .seconds($0) })
        #expect(late.offset(at: 6) == nil && ReplaySchedule([]).begin == nil)
        var replay = SessionReplay(session: Self.session, begin: moment(-5))
        #expect(replay.apply(try Self.events(Self.conversation)[0]).offset == .seconds(5))
    }

    @Test func `frames tell state, speaker, text, latencies and cost as they come`() throws {
        var replay = SessionReplay(session: Self.session, prices: try Self.prices())
        let frames = try Self.events(Self.conversation).map { replay.apply($0) }
        #expect(frames.map(\.version) == Array(1...9))
        #expect(frames[1].state == "listening")
        #expect(frames[3].speaker == .user)
        #expect(frames[3].text == "hello")
        #expect(frames[3].latencies.map(\.milliseconds) == [120.5])
        #expect(frames[3].costSoFar?.text == "0.0001")
        #expect(frames[4].cost?.text == "0.7400", "600 × 0.001 + 400 × 0.0001 + 10 × 0.01")
        #expect(frames[5].costSoFar?.text == "0.9901")
        #expect(frames[8].offset == .seconds(8))
    }

    @Test func `the state at the end is that of all events`() throws {
        var replay = SessionReplay(session: Self.session, prices: try Self.prices())
        for event in try Self.events(Self.conversation) { _ = replay.apply(event) }
        let snapshot = replay.snapshot
        #expect(snapshot.version == 9)
        #expect(snapshot.state == "idle")
        #expect(snapshot.anomalies == 1, "it went to idle from a state that it was not in")
        #expect(snapshot.totalCost?.text == "0.9901")
        let turn = try #require(snapshot.turns.first)
        #expect(snapshot.turns.count == 1)
        #expect(turn.llmResponse == "let me see\ngood day")
        #expect(turn.latencyMs == 820.5)
        #expect(turn.status == "completed")
    }

    @Test func `an unknown price gives no cost, never 0`() throws {
        var replay = SessionReplay(session: Self.session)
        let frames = try Self.events(Self.conversation).map { replay.apply($0) }
        #expect(frames[4].cost == nil)
        #expect(replay.snapshot.uncostedCalls == 1)
        #expect(replay.snapshot.totalCost?.text == "0.2501")
    }

    @Test(arguments: [
        ([#""llmCost": "0,35""#], ["llmCost"]), ([#""inputTokens": "many""#], ["inputTokens"]),
        ([#""llmCost": true"#, #""cachedInputTokens": []"#], ["llmCost", "cachedInputTokens"]),
    ])
    func `what should be a number and is not is told, and no cost is computed in its place`(
        wrong: [String],
        misfits: [String]
    ) throws {
        let call = [Self.turn, #""model": "m", "outputTokens": 10"#] + wrong
        let tokens = wrong.contains { $0.contains("inputTokens") } ? [] : [#""inputTokens": 1000"#]
        let data = (call + tokens).joined(separator: ", ")
        var replay = SessionReplay(session: Self.session, prices: try Self.prices())
        let frame = replay.apply(try Self.events([("turn.generated", data)])[0])
        #expect(frame.misfits == misfits && frame.cost == nil)
        #expect(replay.snapshot.misfits == misfits.count && replay.snapshot.uncostedCalls == 1)
        #expect(replay.snapshot.totalCost == nil)
    }

    @Test func `a latency that is no number takes no cost away`() throws {
        let data = #"\#(Self.turn), "llmLatencyMs": true, "model": "m", "inputTokens": 1000, "outputTokens": 10"#
        var replay = SessionReplay(session: Self.session, prices: try Self.prices())
        let frame = replay.apply(try Self.events([("turn.generated", data)])[0])
        #expect(frame.misfits == ["llmLatencyMs"])
        #expect(frame.cost?.text == "1.100")
    }

    @Test func `an end is a version, or the last event that was not later`() throws {
        let events = try Self.events(Self.conversation)
        #expect(events.count { SessionReplay.End.version(4).includes($0) } == 4)
        #expect(events.count { SessionReplay.End.moment(events[4].occurredAt).includes($0) } == 5)
    }

    @Test func `fields that are not what the contract says count as left out`() throws {
        var replay = SessionReplay(session: Self.session)
        let frames = try Self.events([
            ("turn.transcribed", #""turnId": 7, "asrLatencyMs": "fast", "asrCost": "much""#),
            ("session.state_changed", #""to": []"#), ("note.taken", ""),
        ]).map { replay.apply($0) }
        #expect(frames[0].latencies.isEmpty)
        #expect(frames[0].cost == nil)
        #expect(frames[0].misfits == ["asrLatencyMs", "asrCost"])
        #expect(replay.snapshot.turns.isEmpty)
        #expect(replay.snapshot.state == "idle")
        #expect(replay.snapshot.anomalies == 1)
        #expect(replay.snapshot.startedAt == nil)
    }

    @Test func `only the contract's own types of turns make a turn`() throws {
        var replay = SessionReplay(session: Self.session)
        for event in try Self.events([
            ("tool.called", Self.turn), ("session.started", Self.turn), ("turn.moved", Self.turn),
        ]) {
            #expect(replay.apply(event).turnIndex == nil)
        }
        #expect(replay.snapshot.turns.isEmpty)
    }

    @Test func `a turn is one in small letters and in capitals, and keeps what went wrong`() throws {
        var replay = SessionReplay(session: Self.session)
        let events = try Self.events([
            ("turn.transcribed", #"\#(Self.turn), "userTranscript": "hello""#), ("turn.started", Self.turn),
            ("turn.failed", #"\#(Self.turn.uppercased().replacing("TURNID", with: "turnId")), "errorType": "timeout""#),
            ("turn.failed", Self.turn), ("turn.started", Self.turn), ("session.started", ""),
        ])
        for event in events { _ = replay.apply(event) }
        #expect(replay.snapshot.turns.count == 1)
        #expect(replay.snapshot.turns.first?.errorType == "timeout")
        #expect(replay.snapshot.turns.first?.startedAt == events[1].occurredAt)
        #expect(replay.snapshot.startedAt == events[5].occurredAt)
    }

    @Test func `numbers, texts and ids are read as the read models read them`() throws {
        var replay = SessionReplay(session: Self.session)
        let frames = try Self.events([
            ("session.started", #""userId": "019CAD8F-AC00-7D67-B00A-4911E12A826E""#),
            ("turn.transcribed", #"\#(Self.turn), "asrLatencyMs": "40.5", "asrCost": "+0.01""#),
            ("turn.transcribed", #"\#(Self.turn), "asrLatencyMs": 0.1, "asrCost": "5.""#),
            ("turn.transcribed", #"\#(Self.turn), "asrLatencyMs": 0.2, "asrCost": ".5""#),
            (
                "turn.generated",
                #"\#(Self.turn), "timeToFirstTokenMs": "200", "llmCost": 0, "userTranscript": "from the model""#
            ),
            ("turn.synthesized", #"\#(Self.turn), "ttsLatencyMs": 1e1, "ttsCost": "0", "llmResponse": "spoken""#),
        ]).map { replay.apply($0) }
        #expect(frames[1].latencies.map(\.milliseconds) == [40.5])
        #expect(frames[4].latencies.map(\.milliseconds) == [200])
        #expect(replay.snapshot.userID == "019cad8f-ac00-7d67-b00a-4911e12a826e")
        #expect(replay.snapshot.totalCost?.text == "5.51")
        #expect(replay.snapshot.uncostedCalls == 0)
        let turn = try #require(replay.snapshot.turns.first)
        #expect(turn.stageLatenciesMs == [.asr: 40.8, .tts: 10])
        #expect(turn.latencyMs == 50.8, "a sum of decimals, not of the numbers nearest to them")
        #expect(turn.firstTokenMs == 200)
        #expect(turn.userTranscript == "from the model" && turn.llmResponse == "spoken")
        _ = replay.apply(
            try Self.events([("turn.completed", #"\#(Self.turn), "endToEndLatencyMs": "900""#)])[0]
        )
        #expect(replay.snapshot.turns.first?.latencyMs == 900)
    }

    @Test(arguments: [#""NaN""#, #""1e301""#, "1e-301", #""Infinity""#, #""fast""#, #""""#, "true", "[1]"])
    func `what no column takes as a number counts as left out`(value: String) throws {
        var replay = SessionReplay(session: Self.session)
        let events = try Self.events([
            ("turn.transcribed", #"\#(Self.turn), "asrLatencyMs": \#(value), "asrCost": \#(value)"#)
        ])
        #expect(replay.apply(events[0]).latencies.isEmpty)
        #expect(replay.snapshot.uncostedCalls == 1 && replay.snapshot.turns.first?.latencyMs == nil)
    }
}
