import EventModel
import Testing

@testable import EventStore

/// What is personal is found wherever it stands, and nothing else is.
@Suite struct PersonalFieldsTests {
    private static let fields = PersonalFields([
        .init(pattern: "*", isInMetadata: true, field: "ipAddress"),
        .init(pattern: "*", isInMetadata: true, field: "userAgent"),
        .init(pattern: "turn.transcribed", isInMetadata: false, field: "userTranscript"),
        .init(pattern: "user.*", isInMetadata: false, field: "email"),
        .init(pattern: "user.*", isInMetadata: false, field: "name"),
        .init(pattern: "user.*", isInMetadata: false, field: "phone"),
    ])

    /// The texts of the values that are found in an event of a line of their own, or between others.
    private static func found(_ type: String, data: String = "{}", metadata: String = "{}") throws -> [String] {
        let line =
            #"{"stream":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","type":"\#(type)","metadata":\#(metadata),"data":\#(data)}"#
        let event = try EventLine(line).event
        var found = PersonalFields.Found(data: [0..<1], metadata: [0..<1])
        fields.find(in: event, &found)
        #expect(fields.concern([event]) == !found.isEmpty)
        return found.data.map { String(decoding: event.data[$0], as: UTF8.self) }
            + found.metadata.map { String(decoding: event.metadata[$0], as: UTF8.self) }
    }

    @Test func `a name is found at every offset, up to the last byte of what was sent`() throws {
        for length in 0..<40 {
            let before = String(repeating: "x", count: length)
            #expect(
                try Self.found("turn.started", metadata: #"{"\#(before)":1,"ipAddress":"a"}"#) == [#""a""#],
                "\(length) bytes before"
            )
            #expect(
                try Self.found("turn.transcribed", data: #"{"a":"\#(before)","userTranscript":7}"#) == ["7"],
                "\(length) bytes before"
            )
        }
        #expect(try Self.found("turn.transcribed", data: #"{"userTranscript":1}"#) == ["1"])
    }

    @Test func `a name with escapes is found, whichever letter is one`() throws {
        for (place, letter) in "ipAddress".enumerated() {
            let hex = String(letter.unicodeScalars.first?.value ?? 0, radix: 16)
            var letters = "ipAddress".map(String.init)
            letters[place] = #"\u00\#(hex)"#
            #expect(try Self.found("turn.started", metadata: #"{"\#(letters.joined())":true}"#) == ["true"])
        }
    }

    @Test func `every one of several is found, also one that comes twice and one among many names`() throws {
        #expect(
            try Self.found("a.b", metadata: #"{"userAgent":[1],"x":"ipAddress","ipAddress":{"y":2},"userAgent":"z"}"#)
                == ["[1]", #"{"y":2}"#, #""z""#]
        )
        #expect(try Self.found("user.updated", data: #"{"phone":1,"tier":2,"email":3,"name":4}"#) == ["1", "3", "4"])
    }

    @Test func `null, names deeper inside, names as values, others alike and other types are not found`() throws {
        for metadata in [
            #"{"ipAddress":null}"#, #"{"a":{"ipAddress":1}}"#, #"{"a":["ipAddress"]}"#, #"{"ipAddresses":1}"#,
            #"{"ipAddresS":1}"#, #"{"traceId":"8c8f3a77438de85f738a00dfd4b57f81"}"#, "{}",
        ] {
            #expect(try Self.found("turn.started", metadata: metadata).isEmpty, "\(metadata)")
        }
        #expect(try Self.found("turn.generated", data: #"{"userTranscript":"a"}"#).isEmpty)
    }
}
