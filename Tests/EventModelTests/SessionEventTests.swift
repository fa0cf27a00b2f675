import EventModel
import Foundation
import Testing

@Suite struct SessionEventTests {
    static let turn = UUID()

    static func data(_ event: some SessionEvent) throws -> JSONValue { try JSONValue(json: event.draft().data) }

    @Test func `what is nil is left out`() throws {
        let draft = try TurnTranscribed(turnId: Self.turn).draft()
        #expect(String(decoding: draft.data, as: UTF8.self) == #"{"turnId":"\#(Self.turn.uuidString.lowercased())"}"#)
        #expect(draft.metadata == Array("{}".utf8))
    }

    @Test func `numbers, money and text are written exactly`() throws {
        let event = TurnGenerated(
            turnId: Self.turn,
            llmResponse: "Za\"żółć\"\n\u{1}\\",
            llmLatencyMs: 347.8,
            inputTokens: 0,
            llmCost: Money("0.00006540")
        )
        let data = try Self.data(event)
        #expect(data["llmResponse"]?.string == "Za\"żółć\"\n\u{1}\\")
        #expect(data["llmLatencyMs"]?.number == "347.8")
        #expect(data["inputTokens"]?.integer == 0)
        #expect(data["llmCost"]?.string == "0.00006540")
        #expect(data["outputTokens"] == nil)
    }

    @Test func `every event has the contract's type and fields`() throws {
        let turn = Self.turn
        let config = JSONValue.object([.init("vad", .bool(true))])
        let events: [(any SessionEvent, String, [String])] = [
            (
                SessionStarted(userId: turn, asrProvider: "a", config: config), "session.started",
                ["userId", "asrProvider", "config"]
            ),
            (try SessionStateChanged(from: .idle, to: .listening), "session.state_changed", ["from", "to"]),
            (SessionEnded(reason: "completed"), "session.ended", ["reason"]),
            (TurnStarted(turnId: turn, turnIndex: 1), "turn.started", ["turnId", "turnIndex"]),
            (
                TurnTranscribed(turnId: turn, userTranscript: "a", confidence: 0.5), "turn.transcribed",
                ["turnId", "userTranscript", "confidence"]
            ),
            (
                TurnRetrieved(turnId: turn, query: "a", cacheHit: false), "turn.retrieved",
                ["turnId", "query", "cacheHit"]
            ),
            (TurnGenerated(turnId: turn, requestId: "r"), "turn.generated", ["turnId", "requestId"]),
            (TurnSynthesized(turnId: turn, characters: 3), "turn.synthesized", ["turnId", "characters"]),
            (
                TurnInterrupted(turnId: turn, by: .user, falseInterruption: true), "turn.interrupted",
                ["turnId", "by", "falseInterruption"]
            ),
            (TurnCompleted(turnId: turn, endToEndLatencyMs: 1), "turn.completed", ["turnId", "endToEndLatencyMs"]),
            (
                TurnFailed(turnId: turn, stage: .llm, errorType: "timeout"), "turn.failed",
                ["turnId", "stage", "errorType"]
            ),
        ]
        for (event, type, fields) in events {
            let draft = try event.draft()
            #expect(draft.type.name == type)
            guard case .object(let members) = try JSONValue(json: draft.data) else { throw Missing() }
            #expect(members.map(\.name) == fields)
        }
    }

    @Test func `what the contract refuses is refused by name`() throws {
        let nul = try #require(throws: EventModelError.self) { try SessionEnded(reason: "a\u{0}").draft() }
        #expect(nul.field == "data")
        let infinite = try #require(throws: EventModelError.self) {
            try TurnCompleted(turnId: Self.turn, endToEndLatencyMs: .infinity).draft()
        }
        #expect(infinite.field == "endToEndLatencyMs")
        let large = try #require(throws: EventModelError.self) {
            try SessionEnded(reason: String(repeating: "a", count: 1 << 20)).draft()
        }
        #expect(large.code == .tooLarge)
        for text in ["", "-", "1.", ".5", "1e5", "1,5", "0x1", "١"] { #expect(Money(text) == nil) }
        #expect(Money("-12.50")?.text == "-12.50")
    }

    @Test func `metadata is kept`() throws {
        let metadata = EventMetadata(actor: "asr-gateway", traceId: "4bf9", others: [.init("attempt", .number("2"))])
        let draft = try SessionEnded().draft(metadata: metadata)
        #expect(
            String(decoding: draft.metadata, as: UTF8.self) == #"{"actor":"asr-gateway","traceId":"4bf9","attempt":2}"#
        )
    }

    @Test(arguments: [
        "1,\"userTranscript\":\"forged\"", "", " 1", "1 ", "1\n", "01", "1.", "+1", "-", "0x1", "NaN", "1e999", "true",
        "\"1\"", "[1]", "1 2",
    ])
    func `a number that is none of JSON's is refused by its field, however deep`(text: String) throws {
        let number = JSONValue.number(text)
        for value in [number, .array([.null, number]), .object([.init("a", .array([.object([.init("b", number)])]))])] {
            let data = try #require(throws: EventModelError.self) {
                try TurnTranscribed(turnId: Self.turn, alternatives: value).draft()
            }
            #expect(data.code == .invalidField && data.field == "alternatives")
            let metadata = EventMetadata(others: [.init("attempt", value)])
            let other = try #require(throws: EventModelError.self) { try SessionEnded().draft(metadata: metadata) }
            #expect(other.code == .invalidField && other.field == "attempt")
        }
    }

    @Test func `numbers keep their digits, and values are nested as deep as the contract says`() throws {
        let numbers = JSONValue.array(["0", "-0", "1.50", "-1e5", "1E+5", "12345678901234567890"].map { .number($0) })
        #expect(try Self.data(TurnTranscribed(turnId: Self.turn, alternatives: numbers))["alternatives"] == numbers)
        func nested(_ depth: Int) -> JSONValue { (0..<depth).reduce(.null) { value, _ in .array([value]) } }
        _ = try TurnTranscribed(turnId: Self.turn, alternatives: nested(63)).draft()
        for depth in [64, 1_000] {
            let error = try #require(throws: EventModelError.self) {
                try TurnTranscribed(turnId: Self.turn, alternatives: nested(depth)).draft()
            }
            #expect(error.field == "alternatives")
        }
    }

    @Test(arguments: ["actor", "ipAddress", "userAgent", "traceId", "spanId", "correlationId", "causationId", "mine"])
    func `other metadata take no name twice, nor one that has a place of its own`(name: String) throws {
        let others = [JSONValue.Member("mine", .number("1")), JSONValue.Member(name, .string("forged"))]
        for actor in [nil, "asr-gateway"] {
            let error = try #require(throws: EventModelError.self) {
                try SessionEnded().draft(metadata: EventMetadata(actor: actor, others: others))
            }
            #expect(error.code == .duplicateField && error.field == name)
        }
    }

    private struct Missing: Error {}
}
