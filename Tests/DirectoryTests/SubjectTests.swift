import EventModel
import EventStore
import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// Whoever appends a session's start, its user sees the session from then on.
@Suite struct SubjectTests {
    /// Appends single events through an appender whose login may do nothing else.
    private func append(_ appends: [Append], to fixture: DirectoryFixture) async throws {
        try await fixture.run(
            """
            do $$ begin create role test_appender login; exception when duplicate_object or unique_violation then null; end $$;
            grant recorder_appender to test_appender
            """
        )
        var login = fixture.database
        login.url += " user=test_appender"
        let store = PostgresEventStore(login)
        _ = try await store.withAppender { appender in try await appender.append(independently: appends) }
        await store.close()
    }

    private func event(_ type: EventType, _ data: String, of stream: StreamID) throws -> Append {
        Append(stream: stream, events: [try EventDraft(id: .generate(at: .now()), type: type, data: Array(data.utf8))])
    }

    @Test func `sessions that an appender stores are their users' to see`() async throws {
        try await withDirectory { fixture in
            let users = [try await fixture.register("ann"), try await fixture.register("bob")]
            let sessions = (0..<200).map { _ in StreamID.generate(at: .now()) }
            var appends: [Append] = []
            for (number, session) in sessions.enumerated() {
                let user = users[number % 2].user
                appends.append(
                    try event(.sessionStarted, #"{"config": {"userId": "no"}, "userId": "\#(user)"}"#, of: session)
                )
                appends.append(try event(.turnStarted, #"{"turnIndex": 1}"#, of: session))
            }
            // Who says nothing, or another user later, changes nothing; a user's stream is about him alone.
            let silent = StreamID.generate(at: .now())
            appends.append(try event(.sessionStarted, "{}", of: silent))
            appends.append(try event(.sessionStarted, #"{"userId": "\#(users[1].user)"}"#, of: sessions[0]))
            appends.append(try event(.sessionStarted, #"{"userId": "\#(users[1].user)"}"#, of: users[0].user))
            try await append(appends, to: fixture)
            // The same again is the same append.
            try await append(appends, to: fixture)
            for (number, user) in users.enumerated() {
                let expected = Set(sessions.enumerated().filter { $0.offset % 2 == number }.map(\.element.description))
                let seen = try await withConnection(fixture.service) { connection in
                    try await connection.text(
                        unsafeSQL: """
                            begin; set local recorder.user_id = '\(user.user)';
                            select distinct stream_id from events where stream_id <> acting_user()
                            """
                    )
                }
                #expect(Set(seen.compactMap { $0[0] }) == expected)
            }
            #expect(try await fixture.text("select count(*) from stream_subjects") == [["200"]])
        }
    }
}
