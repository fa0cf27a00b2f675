import EventModel
import Postgres
import RecorderTesting
import Testing

/// What `append_events` says of an expected version is what it was given.
@Suite struct GivenVersionTests {
    /// The message of the refusal, `nil` if there is none.
    private func append(_ lines: String..., on connection: PostgresConnection) async throws -> String? {
        do {
            try await connection.run(unsafeSQL: "select append_events('[\(lines.joined(separator: ","))]')")
            return nil
        } catch let error as PostgresError {
            return error.message
        }
    }

    private func line(_ stream: StreamID, _ expected: String?, id: EventID = .fresh()) -> String {
        let expected = expected.map { #","expectedVersion":\#($0)"# } ?? ""
        return #"{"stream":"\#(stream)","id":"\#(id)","type":"note.taken"\#(expected)}"#
    }

    @Test(arguments: ["2147483646", "2147483647", "2147483648", "1e10", "9223372036854775807"])
    func `a version that no stream has is named as it was given`(given: String) async throws {
        try await withTestConnection { connection in
            let (stream, id) = (StreamID.fresh(), EventID.fresh())
            let named = given == "1e10" ? "10000000000" : given
            let wrong = "wrong expected version of stream \(stream): expected \(named), found"
            var message = try await append(line(stream, given), line(stream, nil), on: connection)
            #expect(message == "\(wrong) 0: the stream holds fewer events")
            // Beside another stream's, which is right or wrong.
            message = try await append(line(.fresh(), "0"), line(stream, given), on: connection)
            #expect(message == "\(wrong) 0: the stream holds fewer events")
            let other = StreamID.fresh()
            message = try await append(line(other, "3"), line(stream, given), on: connection)
            let either = [other: "3", stream: named].map {
                "wrong expected version of stream \($0.key): expected \($0.value), found 0: the stream holds fewer events"
            }
            #expect(either.contains(message ?? ""), "\(message ?? "")")

            #expect(try await append(line(stream, "0", id: id), on: connection) == nil)
            #expect(try await append(line(stream, given, id: id), on: connection) == nil, "a repeated append")
            message = try await append(line(stream, given, id: id), line(stream, given), on: connection)
            #expect(message?.hasPrefix("\(wrong) 1: 1 of the 2 event ids") == true)
        }
    }

    @Test func `versions of one stream that differ contradict each other, however large they are`() async throws {
        try await withTestConnection { connection in
            for (first, second) in [("3000000000", "3000000001"), ("2147483647", "2147483648"), ("1", "3000000000")] {
                let stream = StreamID.fresh()
                let message = try await append(line(stream, first), line(stream, second), on: connection)
                #expect(message?.hasPrefix("event 2: expectedVersion: differs") == true)
            }
        }
    }
}
