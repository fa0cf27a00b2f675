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
        _ = try await PostgresEventStore.with(login) { store in
            try await store.withAppender { appender in try await appender.append(independently: appends) }
        }
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
            // Who says nothing, or another user later, changes nothing; a user's stream is about them alone.
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

    /// Registers a user under an id, in a transaction that the caller ends.
    private static func registration(_ id: StreamID) -> String {
        """
        begin; set local role recorder_service; set local recorder.user_id = '\(id)';
        select append_own_events('[{"stream": "\(id)", "type": "user.registered"}]');
        insert into users (id, email) values ('\(id)', '\(id)@example.org')
        """
    }

    private static func start(_ session: StreamID, of user: StreamID) -> String {
        "select append_event('\(session)', 'session.started', '{\"userId\": \"\(user)\"}')"
    }

    @Test func `a stream that holds something of a session becomes no user's`() async throws {
        try await withDirectory { fixture in
            let session = StreamID.generate(at: .now())
            try await fixture.run("select append_event('\(session)', 'turn.transcribed', '{}')")
            let error = await #expect(throws: PostgresError.self) {
                try await fixture.run("\(Self.registration(session)); commit")
            }
            #expect(error?.sqlState == "42501" && error?.message == "this id cannot be a user's")
            // One's own events may be there before the row.
            let user = StreamID.generate(at: .now())
            try await fixture.run("select append_event('\(user)', 'user.logged_in', '{}')")
            try await fixture.run("\(Self.registration(user)); commit")
            #expect(try await fixture.text("select count(*) from stream_subjects") == [["0"]])
        }
    }

    @Test func `a session and a user who get one id at the same moment do not share it`() async throws {
        try await withDirectory { fixture in
            let bob = try await fixture.register("bob").user
            func waitForBlocked() async throws {
                let blocked =
                    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
                try await eventually("somebody waits for a lock") { try await !fixture.text(blocked).isEmpty }
            }
            // The session is first: there is no such user.
            let session = StreamID.generate(at: .now())
            try await withConnection(fixture.database) { connection in
                try await connection.run(unsafeSQL: "begin; \(Self.start(session, of: bob))")
                async let user: Void = fixture.run("\(Self.registration(session)); commit")
                try await waitForBlocked()
                try await connection.run(unsafeSQL: "commit")
                do {
                    try await user
                    Issue.record("a session's id became a user's")
                } catch let error as PostgresError {
                    #expect(error.sqlState == "42501")
                }
            }
            let named = "select subject_id from stream_subjects where stream_id = "
            #expect(try await fixture.text("\(named) '\(session)'") == [["\(bob)"]])
            // The user is first: their stream is about nobody else.
            let user = StreamID.generate(at: .now())
            try await withConnection(fixture.database) { connection in
                try await connection.run(unsafeSQL: Self.registration(user))
                async let append: Void = fixture.run(Self.start(user, of: bob))
                try await waitForBlocked()
                try await connection.run(unsafeSQL: "commit")
                try await append
            }
            #expect(try await fixture.text("\(named) '\(user)'") == [])
        }
    }
}
