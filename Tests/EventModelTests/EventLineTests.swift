import EventModel
import Testing

@Suite struct EventLineTests {
    static let stream = "019cad8f-ac00-7e4e-a7b6-815d4e98868f"
    static let id = "019cad8f-d1bd-76c5-b506-8f76320fb771"

    static func line(_ fields: String) -> String { #"{"stream":"\#(stream)","type":"turn.started"\#(fields)}"# }

    static func error(_ line: String) throws -> EventModelError {
        try #require(throws: EventModelError.self) { try EventLine(line, number: 7) }
    }

    @Test func `a line with all fields is read`() throws {
        let line = try EventLine(
            """
             {"stream": "\(Self.stream)", "id": "\(Self.id.uppercased())", "type": "turn.generated",
             "occurredAt": "2026-03-02T09:00:09.6616+01:00", "data": {"turnId": "…", "llmLatencyMs": 347.80},
             "metadata": { }, "expectedVersion": 11} \r
            """
        )
        #expect(line.stream.description == Self.stream)
        #expect(line.event.id.description == Self.id)
        #expect(line.event.type == .turnGenerated)
        #expect(line.event.occurredAt?.description == "2026-03-02T08:00:09.661600Z")
        #expect(line.event.data == Array(#"{"turnId": "…", "llmLatencyMs": 347.80}"#.utf8))
        #expect(line.event.metadata == Array("{ }".utf8))
        #expect(line.expectedVersion == .exactly(11))
    }

    @Test func `what is absent takes its default`() throws {
        let before = Timestamp.now()
        let line = try EventLine(Self.line(""))
        #expect(line.event.occurredAt == nil)
        #expect(line.event.data == Array("{}".utf8))
        #expect(line.event.metadata == Array("{}".utf8))
        #expect(line.expectedVersion == .any)
        let milliseconds = try #require(Int64(line.event.id.description.prefix(13).filter { $0 != "-" }, radix: 16))
        #expect(milliseconds >= before.microseconds / 1000)
        #expect(try EventLine(Self.line("")).event.id != line.event.id)
    }

    @Test(arguments: [
        ("\"any\"", ExpectedVersion.any), ("\"none\"", .noStream), ("\"exists\"", .exists), ("0", .exactly(0)),
        ("\"\\u0061ny\"", .any), ("2147483648", .exactly(2_147_483_648)),
    ])
    func `every expected version is read`(text: String, expected: ExpectedVersion) throws {
        #expect(try EventLine(Self.line(",\"expectedVersion\":\(text)")).expectedVersion == expected)
    }

    @Test func `names and values may be escaped`() throws {
        let line = try EventLine(
            #"{"\u0073tream":"\u00301\#(Self.stream.dropFirst(2))","type":"p\u0142yta.z\u0142o\u017Cona","data":{}}"#
        )
        #expect(line.stream.description == Self.stream)
        #expect(line.event.type.name == "płyta.złożona")
    }

    @Test(arguments: [
        ("", EventModelError.Code.notJSON, "line 7: not JSON: it ends"),
        ("stream", .notJSON, "line 7: not JSON: a character"),
        ("[]", .notJSON, "line 7: it is not a JSON object"),
        ("\"text\"", .notJSON, "line 7: it is not a JSON object"),
        (line("") + line(""), .notJSON, "line 7: not JSON: something follows"),
        (line(","), .notJSON, "line 7: not JSON: a character"),
        (String(line("").dropLast()), .notJSON, "line 7: not JSON: it ends"),
        ("{}", .missingField, "line 7: stream: it is missing"),
        (#"{"stream":"\#(stream)"}"#, .missingField, "line 7: type: it is missing"),
        (#"{"stream":"1","type":"a"}"#, .invalidField, "line 7: stream: it is not a UUID"),
        (#"{"stream":null,"type":"a"}"#, .invalidField, "line 7: stream: it is not a UUID"),
        (#"{"stream":"{\#(stream)}","type":"a"}"#, .invalidField, "line 7: stream: it is not a UUID"),
        (#"{"stream":"\#(stream)","type":""}"#, .invalidField, "line 7: type: it is empty"),
        (#"{"stream":"\#(stream)","type":7}"#, .invalidField, "line 7: type: it is not a string"),
        (
            #"{"stream":"\#(stream)","type":"\#(String(repeating: "ż", count: 64))x"}"#, .invalidField,
            "line 7: type: it is longer than 128 bytes"
        ),
        (line(#","id":"019cad8f""#), .invalidField, "line 7: id: it is not a UUID"),
        (line(#","id":null"#), .invalidField, "line 7: id: it is not a UUID"),
        (line(#","occurredAt":"2026-02-30T00:00:00Z""#), .invalidField, "line 7: occurredAt: no such day"),
        (line(#","occurredAt":"yesterday""#), .invalidField, "line 7: occurredAt: it is not an RFC 3339 time"),
        (line(#","occurredAt":1772438409"#), .invalidField, "line 7: occurredAt: it is not an RFC 3339 time"),
        (line(#","expectedVersion":-1"#), .invalidField, "line 7: expectedVersion: it is none of"),
        (line(#","expectedVersion":1.5"#), .invalidField, "line 7: expectedVersion: it is none of"),
        (line(#","expectedVersion":"11""#), .invalidField, "line 7: expectedVersion: it is none of"),
        (line(#","expectedVersion":99999999999999999999"#), .invalidField, "line 7: expectedVersion: it is none of"),
        (line(#","data":[1]"#), .invalidField, "line 7: data: it is not a JSON object"),
        (line(#","metadata":"{}""#), .invalidField, "line 7: metadata: it is not a JSON object"),
        (line(#","data":{"a":"\u0000"}"#), .invalidField, #"line 7: data: a string holds \u0000, which"#),
        (line(#","data":{"\u0000":1}"#), .invalidField, #"line 7: data: a string holds \u0000"#),
        (line(#","data":{"a":"\uD83D"}"#), .invalidField, "line 7: data: a string holds half of a surrogate pair"),
        (line(#","data":{"a":1e400}"#), .invalidField, "line 7: data: a number is too large"),
        (line(#","data":{"a":1e-20000}"#), .invalidField, "line 7: data: a number has more than 16383 digits"),
        (line(#","data":{"a":NaN}"#), .notJSON, "line 7: data: not JSON: a character"),
        (line(#","data":{"a":01}"#), .notJSON, "line 7: data: not JSON: a number"),
        (line(#","data":{"a":1,}"#), .notJSON, "line 7: data: not JSON: a character"),
        (line(#","data":{},"data":{}"#), .duplicateField, "line 7: data: it is given twice"),
        (line(#","expectedversion":1"#), .unknownField, "line 7: expectedversion: no such field is known"),
        (line(#","version":1"#), .unknownField, "line 7: version: the recorder gives it"),
    ])
    func `bad input is refused with line, field and reason`(
        line: String,
        code: EventModelError.Code,
        message: String
    ) throws {
        let error = try Self.error(line)
        #expect(error.code == code)
        #expect(error.message.hasPrefix(message), "\(error.message)")
        #expect(error.line == 7)
    }

    @Test func `nesting is allowed to 64 levels of data`() throws {
        func nested(_ levels: Int) -> String {
            Self.line(
                ",\"data\":{\"a\":" + String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
                    + "}"
            )
        }
        #expect(throws: Never.self) { try EventLine(nested(63)) }
        let error = try Self.error(nested(64))
        #expect(error.message == "line 7: data: arrays and objects are nested deeper than 64; flatten them")
    }

    @Test(arguments: ["data", "metadata"])
    func `an object of 1 MiB is taken and one byte more refused`(field: String) throws {
        let text = String(repeating: "x", count: EventDraft.largestJSON - 8)
        #expect(throws: Never.self) { try EventLine(Self.line(",\"\(field)\":{\"a\":\"\(text)\"}")) }
        let error = try Self.error(Self.line(",\"\(field)\":{\"a\":\"\(text)y\"}"))
        #expect(error.code == .tooLarge)
        #expect(error.field == field)
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0x80], [0xC5], [0xE2, 0x82], [0xFF],
            [0xC5, 0x22],
        ] as [[UInt8]]
    )
    func `bytes that are not UTF-8 are refused`(bad: [UInt8]) throws {
        let line = Array(Self.line(",\"data\":{\"a\":\"").utf8.dropLast()) + bad + Array("\"}}".utf8)
        let error = try #require(throws: EventModelError.self) { try EventLine(line, number: 1) }
        #expect(error.message.hasPrefix("line 1: data: not JSON: it holds bytes that are not UTF-8"))
    }

    @Test func `a message holds nothing of the payload`() throws {
        let secret = "swordfish"
        for line in [
            Self.line(",\"data\":{\"a\":\"\(secret)\\u0000\"}"), Self.line(",\"id\":\"\(secret)\""),
            Self.line(",\"occurredAt\":\"\(secret)\""), #"{"stream":"\#(Self.stream)","type":["\#(secret)"]}"#,
        ] {
            #expect(!(try Self.error(line).message.contains(secret)))
        }
    }

    @Test func `a line that is written is read back the same`() throws {
        for version in [ExpectedVersion.any, .noStream, .exists, .exactly(3)] {
            let line = EventLine(
                stream: try #require(StreamID(Self.stream)),
                expectedVersion: version,
                event: try EventDraft(
                    id: try #require(EventID(Self.id)),
                    type: EventType("note.\"taken\"\n"),
                    occurredAt: Timestamp("2026-03-02T08:00:09.661600Z"),
                    data: Array("{\n \"text\": \"a\\nb\"\r\n}".utf8)
                )
            )
            #expect(!line.json.contains("\n"))
            let back = try EventLine(line.json)
            #expect(back.event.data == Array("{  \"text\": \"a\\nb\"  }".utf8))
            #expect(back.event.type == line.event.type)
            #expect(back.event.occurredAt == line.event.occurredAt)
            #expect(back.expectedVersion == version)
            #expect(back.stream == line.stream)
        }
    }

    @Test func `a line among others is read alone, and says where in it something is wrong`() throws {
        let first = Self.line(#","data":{"a":1}"#)
        let bytes = Array("\(first)\n\(Self.line(#","metadata":{"b":"ü"}"#))\n{\"stream\":01}".utf8)
        let ends = bytes.indices.filter { bytes[$0] == 0x0A }
        let one = try EventLine.parse(bytes, in: 0..<ends[0]).line.event
        let two = try EventLine.parse(bytes, in: (ends[0] + 1)..<ends[1]).line.event
        #expect(String(decoding: one.data, as: UTF8.self) == #"{"a":1}"#)
        #expect(one.metadata == Array("{}".utf8))
        #expect(two.data == Array("{}".utf8))
        #expect(String(decoding: two.metadata, as: UTF8.self) == #"{"b":"ü"}"#)
        #expect(try EventLine(first).event.identified(as: one.id) == one)
        let error = try #require(throws: EventModelError.self) {
            try EventLine.parse(bytes, in: (ends[1] + 1)..<bytes.count)
        }
        #expect(error.message.contains("byte 11"), "\(error.message)")
    }

    @Test func `names of fields and types may be escaped, and near misses are refused`() throws {
        let escaped = try EventLine(Self.line("").replacing("\"type\"", with: #""\u0074ype""#))
        #expect(escaped.event.type == (try EventLine(Self.line(""))).event.type)
        for name in ["streaM", "iD", "tyqe", "dato", "metadatA", "occurredAT", "expectedVersioN", "", "x"] {
            let error = try #require(throws: EventModelError.self) { try EventLine(Self.line(",\"\(name)\":{}")) }
            #expect(error.code == .unknownField, "\(name)")
        }
        for type in EventType.frequent {
            var other = Array(type.name.utf8)
            other[0] ^= 0x20
            let name = String(decoding: other, as: UTF8.self)
            let line = try EventLine(#"{"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","type":"\#(name)"}"#)
            #expect(line.event.type.name == name)
            #expect(line.event.type != type)
            let same = try EventLine(#"{"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","type":"\#(type.name)"}"#)
            #expect(same.event.type == type)
            #expect(same.event.type.name == type.name)
        }
    }
}
