import EventModel
import Testing

/// A line that breaks the contract: every kind that events.md names.
struct BadLine: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The line, in which `STREAM` stands for a stream.
    let text: String
    /// The field that the error names; nil where the whole line is at fault.
    let field: String?
    /// A part of the reason.
    let reason: String

    static let all = [
        BadLine("not JSON", "nonsense", field: nil, reason: "JSON"),
        BadLine("a line that is cut off", #"{"stream": "STREAM", "type": "a.b""#, field: nil, reason: "ends"),
        BadLine("not an object", #"["STREAM"]"#, field: nil, reason: "object"),
        BadLine("no stream", #"{"type": "a.b"}"#, field: "stream", reason: "missing"),
        BadLine("a stream that is no UUID", #"{"stream": "x", "type": "a.b"}"#, field: "stream", reason: "UUID"),
        BadLine("no type", #"{"stream": "STREAM"}"#, field: "type", reason: "missing"),
        BadLine(
            "an id that is no UUID",
            #"{"stream": "STREAM", "type": "a.b", "id": "7"}"#,
            field: "id",
            reason: "UUID"
        ),
        BadLine(
            "a time that does not parse",
            #"{"stream": "STREAM", "type": "a.b", "occurredAt": "yesterday"}"#,
            field: "occurredAt",
            reason: "RFC 3339"
        ),
        BadLine(
            "data over 1 MiB",
            #"{"stream": "STREAM", "type": "a.b", "data": {"text": ""# + String(repeating: "x", count: 1 << 20)
                + #""}}"#,
            field: "data",
            reason: "1 MiB"
        ),
        BadLine(
            "U+0000 in a string",
            #"{"stream": "STREAM", "type": "a.b", "data": {"text": "a\u0000b"}}"#,
            field: "data",
            reason: #"\u0000"#
        ),
        BadLine(
            "a number that is not finite",
            #"{"stream": "STREAM", "type": "a.b", "data": {"number": 1e999}}"#,
            field: "data",
            reason: "finite"
        ),
        BadLine(
            "NaN",
            #"{"stream": "STREAM", "type": "a.b", "data": {"number": NaN}}"#,
            field: "data",
            reason: "character"
        ),
        BadLine("an empty type", #"{"stream": "STREAM", "type": ""}"#, field: "type", reason: "empty"),
        BadLine(
            "a type that is too long",
            #"{"stream": "STREAM", "type": ""# + String(repeating: "x", count: 129) + #""}"#,
            field: "type",
            reason: "128 bytes"
        ),
        BadLine(
            "nesting deeper than 64",
            #"{"stream": "STREAM", "type": "a.b", "data": {"a": "# + String(repeating: "[", count: 70)
                + String(repeating: "]", count: 70) + "}}",
            field: "data",
            reason: "64"
        ),
        BadLine(
            "data that is no object",
            #"{"stream": "STREAM", "type": "a.b", "data": 7}"#,
            field: "data",
            reason: "object"
        ),
        BadLine(
            "an expected version that is none",
            #"{"stream": "STREAM", "type": "a.b", "expectedVersion": -1}"#,
            field: "expectedVersion",
            reason: "whole numbers"
        ),
    ]

    private init(_ name: String, _ text: String, field: String?, reason: String) {
        (testDescription, self.text, self.field, self.reason) = (name, text, field, reason)
    }

    /// The line for a stream.
    func line(stream: StreamID) -> String { text.replacing("STREAM", with: stream.description) }
}
