import EventModel
import Testing

@Suite struct JSONValueTests {
    @Test func `order and digits survive`() throws {
        let json = #"{"z":1.50,"a":[1e2,-0,"\u017c\/",null,true,false],"":{"n":123456789012345678901234567890},"z":2}"#
        let value = try JSONValue(json: Array(json.utf8))
        #expect(value.json == json.replacing(#"\u017c\/"#, with: "ż/"))
        #expect(value["z"]?.integer == 2)
        #expect(value[""]?["n"]?.number == "123456789012345678901234567890")
        #expect(value["a"]?["x"] == nil)
        #expect(value["missing"] == nil)
    }

    @Test func `what the contract refuses is refused`() throws {
        let error = try #require(throws: EventModelError.self) { try JSONValue(json: Array("[1e999]".utf8)) }
        #expect(error.code == .invalidField)
        #expect(throws: EventModelError.self) { try JSONValue(json: Array("[".utf8)) }
    }

    @Test func `the writer escapes what must be escaped and reads back`() throws {
        let text = String(String.UnicodeScalarView((1..<0x300).compactMap(Unicode.Scalar.init))) + "\u{2028}😀\u{10FFFF}"
        let json = JSONValue.object([.init(text, .array([.string(text), .number("-1.0")]))]).json
        let back = try JSONValue(json: Array(json.utf8))
        #expect(back[text] == .array([.string(text), .number("-1.0")]))
    }

    @Test func `a recorded event is written as one line`() throws {
        let moment = try #require(Timestamp("2026-03-02T08:00:09.6616Z"))
        let event = RecordedEvent(
            stream: try #require(StreamID("019cad8f-ac00-7e4e-a7b6-815d4e98868f")),
            id: try #require(EventID("019cad8f-d1bd-76c5-b506-8f76320fb771")),
            type: .turnCompleted,
            version: 12,
            position: 1_000_000,
            occurredAt: moment,
            recordedAt: moment.advanced(by: .milliseconds(2)),
            data: Array("{\n\"a\":1}".utf8),
            metadata: Array("{}".utf8)
        )
        #expect(
            event.json == """
                {"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","version":12,"position":1000000,\
                "id":"019cad8f-d1bd-76c5-b506-8f76320fb771","type":"turn.completed",\
                "occurredAt":"2026-03-02T08:00:09.661600Z","recordedAt":"2026-03-02T08:00:09.663600Z",\
                "data":{ "a":1},"metadata":{}}
                """
        )
    }

    @Test(
        arguments: [
            (0, 0, "0"), (12, 0, "12"), (3478, 1, "347.8"), (5, 2, "0.05"), (-65_400, 9, "-0.000065400"),
            (.max, 3, "9223372036854775.807"), (.min, 0, "-9223372036854775808"),
        ] as [(Int64, Int, String)]
    )
    func `decimals are written exactly`(units: Int64, places: Int, expected: String) {
        var writer = JSONWriter()
        writer.decimal(units, places: places)
        #expect(writer.bytes == Array(expected.utf8))
    }
}
