import EventModel
import Postgres
import RecorderTesting
import Testing

/// What `append_event` and `append_events` refuse, they refuse with what to do.
@Suite struct AppendRefusalTests {
    private static let stream = "019cad8f-ac00-7e4e-a7b6-815d4e98868f"

    /// What the server says of a statement that it refuses; `nil` if it takes it.
    private func refusal(_ sql: String, on connection: PostgresConnection) async throws -> PostgresError? {
        do {
            try await connection.run(unsafeSQL: sql)
            return nil
        } catch let error as PostgresError {
            return error
        }
    }

    /// An event of the stream and a type, with other members.
    private static func event(_ members: String) -> String {
        #"{"stream":"\#(stream)","type":"note.taken"\#(members.isEmpty ? "" : ",")\#(members)}"#
    }

    @Test(
        arguments: [
            ("7", "is not an array", "JSON array"), ("[7]", "is not a JSON object", "Each element is one event"),
            ("[{}]", "is missing", "Name the stream"), (#"[{"stream":1}]"#, "is not a string", "Write it in quotes"),
            (#"[{"stream":"a"}]"#, "is not a UUID", "hexadecimal"),
            (#"[{"stream":"\#(stream)"}]"#, "is missing", "turn.started"),
            (#"[{"stream":"\#(stream)","type":7}]"#, "is not a string", "Write it in quotes"),
            (#"[{"stream":"\#(stream)","type":""}]"#, "is empty", "1 to 128 bytes"),
            (#"[{"stream":"\#(stream)","type":"\#(String(repeating: "é", count: 65))"}]"#, "longer", "1 to 128 bytes"),
            ("[\(event(#""data":"{}""#))]", "is not a JSON object", "not JSON text"),
            ("[\(event(#""metadata":[]"#))]", "is not a JSON object", "not JSON text"),
            ("[\(event(#""data":{"a":1e309}"#))]", "not finite", "1.79e308"),
            (
                "[\(event(#""data":{"a":"\#(String(repeating: "a", count: 1_048_576))"}"#))]", "larger than 1 MiB",
                "several events"
            ),
            (
                "[\(event(#""data":{"a":\#(String(repeating: "[", count: 64) + String(repeating: "]", count: 64))}"#))]",
                "nested deeper", "flatter"
            ),
            ("[\(event(#""occurredAt":"now""#))]", "RFC 3339", "with its zone"),
            ("[\(event(#""occurredAt":"9999-12-31T23:59:59-01:00""#))]", "in the years", "when it happened"),
            ("[\(event(#""expectedVersion":-1"#))]", "a number of events", "digits alone"),
            ("[\(event(#""version":1"#))]", "set by the recorder", "Leave it out"),
            ("[\(event(#""datta":{}"#))]", "not a field of an event", "data, metadata, expectedVersion"),
            (
                "[\(event(#""expectedVersion":0"#)),\(event(#""expectedVersion":1"#))]", "differs",
                "leave it out of the others"
            ),
            ("[\(event(#""id":"\#(stream)""#)),\(event(#""id":"\#(stream)""#))]", "occurs twice", "an id of its own"),
        ]
    )
    func `an event that is refused is refused with what to do`(events: String, reason: String, hint: String)
        async throws
    {
        try await withTestConnection { connection in
            let error = try await refusal("select append_events('\(events)')", on: connection)
            #expect(error?.sqlState == "RC002" && error?.message.contains(reason) == true, "\(error?.message ?? "")")
            #expect(error?.hint?.contains(hint) == true, "\(error?.hint ?? "")")
        }
    }

    @Test(arguments: [
        ("null, 'note.taken', '{}'", "is missing", "Name the stream"),
        ("'\(stream)', null, '{}'", "is missing", "turn.started"),
        ("'\(stream)', 'note.taken', '[]'", "is not a JSON object", "not JSON text"),
        ("'\(stream)', 'note.taken', '{}', expected_version => -1", "is negative", "or null for any"),
        ("'\(stream)', 'note.taken', '{}', occurred_at => 'infinity'", "not a finite time", "when it happened"),
    ])
    func `an argument that is refused is refused with what to do`(arguments: String, reason: String, hint: String)
        async throws
    {
        try await withTestConnection { connection in
            let error = try await refusal("select append_event(\(arguments))", on: connection)
            #expect(error?.sqlState == "RC002" && error?.message.contains(reason) == true, "\(error?.message ?? "")")
            #expect(error?.hint?.contains(hint) == true, "\(error?.hint ?? "")")
        }
    }

    @Test func `a wrong expected version is refused with what to do`() async throws {
        try await withTestConnection { connection in
            let (one, two) = (EventID.fresh(), EventID.fresh())
            func line(_ id: EventID, _ expected: String = "\"any\"", of stream: String = Self.stream) -> String {
                #"{"stream":"\#(stream)","id":"\#(id)","type":"note.taken","expectedVersion":\#(expected)}"#
            }
            try await connection.run(unsafeSQL: "select append_events('[\(line(one)),\(line(two))]')")
            for (lines, hint) in [
                ([line(.fresh(), "1")], "with the expected version 2"),
                ([line(.fresh(), "7")], "goes on from here has the expected version 2"),
                ([line(.fresh(), "\"none\"")], "the expected version 2"),
                ([line(.fresh(), "\"exists\"", of: "\(StreamID.fresh())")], "what begins a stream expects \"none\""),
                ([line(one), line(.fresh())], "as it was first sent"), ([line(two), line(one)], "in their order"),
                ([line(one), line(two), line(one, of: "\(StreamID.fresh())")], "to all its streams"),
            ] {
                let sql = "select append_events('[\(lines.joined(separator: ","))]')"
                let error = try await refusal(sql, on: connection)
                #expect(error?.sqlState == "RC001" && error?.hint?.contains(hint) == true, "\(error?.hint ?? "")")
            }
        }
    }

    @Test func `no function that appends refuses without a hint`() async throws {
        try await withTestConnection { connection in
            let found = try await connection.text(
                unsafeSQL: """
                    select proname, regexp_count(prosrc, 'raise exception') from (
                        select proname, prosrc from pg_proc where pronamespace = 'recorder'::regnamespace
                            and proname ~ '^append_|^refuse_(event|version|given_version|change|user|nobody)$|^event_type_id$|^(frame_number|open_payload)$'
                    ) own where regexp_count(prosrc, 'raise exception') <> regexp_count(prosrc, 'hint = ')
                    """
            )
            #expect(found == [])
        }
    }
}
