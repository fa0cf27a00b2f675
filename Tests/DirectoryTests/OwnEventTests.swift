import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// What a service may have its user's stream say.
@Suite struct OwnEventTests {
    @Test func `what is no array of events is refused with the event, the field and the reason`() async throws {
        try await withIsolation { people in
            let own = #"{"stream": "\#(people.bob.user)", "type": "user.updated"}"#
            for (events, words) in [
                (#"{"a": 1}"#, "event 0: events: is not an array"), ("null", "event 0: events: is not an array"),
                ("7", "event 0: events: is not an array"), ("[1]", "event 1: event: is not a JSON object"),
                ("[\(own), \"x\"]", "event 2: event: is not a JSON object"),
                ("[[], 2]", "event 1: event: is not a JSON object"), ("[null]", "event 1: event: is not a JSON object"),
            ] {
                let error = await people.refusal("select append_own_events('\(events)')", as: people.bob)
                #expect(error?.sqlState == "RC002" && error?.message == words, "\(events)")
                #expect(error?.hint?.contains(words.contains("array") ? "JSON array" : "is one event") == true)
            }
            let error = await people.refusal("select append_own_events(null)", as: people.bob)
            #expect(error?.sqlState == "RC002")
        }
    }

    @Test(arguments: ["user.held", "user.released"])
    func `what only the recorder knows, a service does not tell`(type: String) async throws {
        try await withIsolation { people in
            let event = #"{"stream": "\#(people.bob.user)", "type": "\#(type)"}"#
            let told = await people.refusal("select append_own_events('[\(event)]')", as: people.bob)
            #expect(told?.sqlState == "42501" && told?.hint?.contains("with no other userId") == true)
            let framed = await people.refusal(
                """
                select append_own_frames(array[gen_random_uuid()], array['\(type)'],
                                         array[identity_frame('{"userId": "\(people.bob.user)"}', '{}')])
                """,
                as: people.bob
            )
            #expect(framed?.sqlState == "42501" && framed?.hint?.contains("with that id as userId") == true)
        }
    }
}
