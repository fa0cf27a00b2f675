import EventModel
import Postgres
import RecorderTesting
import Synchronization
import Testing

@testable import Directory

/// Bob tries to see, change and guess what is Ann's, with the service's login and any SQL.
@Suite struct IsolationTests {
    @Test func `each sees their own rows, and who does not say for whom they act sees none`() async throws {
        try await withIsolation { people in
            for relation in IsolationFixture.readable {
                let everything =
                    try await people.directory.text("select count(*) from \(relation)")[0][0].flatMap { Int($0) } ?? 0
                #expect(everything >= 2, "\(relation) holds nothing that could be seen")
                let nobodys = try await people.attempt("select count(*) from \(relation)", as: nil)
                #expect(nobodys == [["0"]], "\(relation)")
                for (person, other) in [(people.ann, people.bob), (people.bob, people.ann)] {
                    let rows = try await people.attempt("select r::text from \(relation) r", as: person)
                    #expect(!rows.isEmpty && rows.count < everything, "\(relation)")
                    let foreign = try await people.attempt(
                        "select count(*) from \(relation) r where position('\(other.user)' in r::text) > 0",
                        as: person
                    )
                    #expect(foreign == [["0"]], "\(relation)")
                }
                let words = try await people.attempt("select r::text from \(relation) r", as: people.bob)
                #expect(words.allSatisfy { $0[0]?.contains(IsolationFixture.secret) == false }, "\(relation)")
            }
        }
    }

    private static let questions = [
        "select * from users tablesample system (100)", "table users", "select (u).* from users u",
        "with u as materialized (select * from users) select * from u", "select ctid, xmin, * from users",
        "select json_agg(u) from users u", "select query_to_xml('select * from users', true, false, '')",
        "select table_to_xml('users', true, false, '')", "select * from users for update",
        "select d.* from users u right join knowledge_documents d on true",
        "select schema_to_xml('recorder', true, false, '')",
        "create temp table mine as select * from knowledge_documents; select * from mine",
        "create temp view mine as select * from conversation_turns; select * from mine",
        "prepare p as select * from knowledge_documents; execute p",
        "declare c cursor for select * from knowledge_documents; fetch all from c",
        "declare c no scroll cursor with hold for select * from audit_logs; fetch all from c",
        "do $$ begin execute 'create temp table found as select u::text from users u'; end $$; select * from found",
        "select * from search_documents('xylophone or pears', 100)", "select * from audit_verify()",
        "update users set settings = settings returning *", "delete from knowledge_documents returning *",
        "merge into voice_models m using (select 1) s on m.id is not null when matched then update set is_active = true; select * from voice_models",
        "select encode(payload, 'escape') from events",
    ]

    @Test func `no way of asking shows another's rows`() async throws {
        try await withIsolation { people in
            for sql in Self.questions {
                let all = try await people.attempt(sql, as: people.ann)
                if !sql.contains("audit_verify") {
                    #expect("\(all)".contains(IsolationFixture.secret), "\(sql) shows nothing at all")
                }
                let rows = try await people.attempt(sql, as: people.bob)
                #expect(!"\(rows)".contains(IsolationFixture.secret) && !"\(rows)".contains("\(people.ann.user)"))
                let nothing = try await people.attempt(sql, as: nil)
                #expect(!"\(nothing)".contains(IsolationFixture.secret) && !"\(nothing)".contains("\(people.ann.user)"))
            }
        }
    }

    @Test func `COPY writes out one's own rows only, and reads none in`() async throws {
        try await withIsolation { people in
            try await withConnection(people.directory.service) { connection in
                try await connection.run(unsafeSQL: "set recorder.user_id = '\(people.bob.user)'")
                for relation in ["users", "knowledge_documents", "(select * from conversation_turns)"] {
                    let seen = Mutex(0)
                    try await connection.copyOut(unsafeSQL: relation == "users" ? "(table users)" : relation) { _ in
                        seen.withLock { $0 += 1 }
                    }
                    #expect(
                        seen.withLock { $0 }
                            == (relation == "(select * from conversation_turns)" ? 1 : seen.withLock { $0 })
                    )
                    #expect(seen.withLock { $0 } <= 1, "\(relation)")
                }
                await #expect(throws: PostgresError.self) {
                    try await connection.copyIn(unsafeSQL: "users (id, email)") { _ in }
                }
                await #expect(throws: PostgresError.self) {
                    try await connection.run(unsafeSQL: "copy users to program 'cat'")
                }
            }
        }
    }

    private static let columns = [
        ("users", "email"), ("voice_models", "model_path"), ("face_models", "model_path"),
        ("knowledge_documents", "text_content"), ("events", "encode(payload, 'escape')"),
        ("conversation_sessions", "config::text"), ("conversation_turns", "user_transcript"),
        ("conversation_costs", "provider"), ("audit_logs", "ip_address"), ("conversation_turns_v1", "llm_response"),
    ]

    /// A condition that fails on a row tells that there is one, if it is asked of rows that are not to be seen.
    @Test func `no condition is asked of another's rows`() async throws {
        try await withIsolation { people in
            for (relation, column) in Self.columns {
                let leak = """
                    create function pg_temp.leak(value text) returns boolean language plpgsql cost 0.0000001 as $$
                    begin
                        if position('\(IsolationFixture.secret)' in value) > 0 then raise exception 'seen: %', value; end if;
                        return true;
                    end $$;
                    """
                let seen = await people.refusal(
                    "\(leak) select count(*) from \(relation) where pg_temp.leak(\(column))",
                    as: people.ann
                )
                #expect(seen?.message.hasPrefix("seen: ") == true)
                try await people.attempt(
                    "\(leak) select count(*) from \(relation) where pg_temp.leak(\(column))",
                    as: people.bob
                )
                try await people.attempt(
                    "\(leak) select count(*) from \(relation) where pg_temp.leak(\(column))",
                    as: nil
                )
                try await people.attempt(
                    "select count(*) from \(relation) where 1 / (1 - sign(position('\(IsolationFixture.secret)' in \(column)))) > 0",
                    as: people.bob
                )
            }
        }
    }

    @Test func `a prepared statement and a pooled connection serve each user their own rows`() async throws {
        try await withIsolation { people in
            try await withConnection(people.directory.service) { connection in
                try await connection.run(unsafeSQL: "set plan_cache_mode = force_generic_plan")
                try await connection.run(unsafeSQL: "prepare mine as select id from users")
                for person in [people.ann, people.bob, people.ann] {
                    try await connection.run(unsafeSQL: "begin; set local recorder.user_id = '\(person.user)'")
                    #expect(try await connection.text(unsafeSQL: "execute mine") == [["\(person.user)"]])
                    try await connection.run(unsafeSQL: "commit")
                    // What was said for one transaction is not said for the next.
                    #expect(try await connection.text(unsafeSQL: "execute mine") == [])
                }
            }
            let pool = PostgresPool(
                people.directory.service,
                limits: PostgresPool.Limits(size: 1, acquireTimeout: .seconds(60))
            )
            let directory = UserDirectory(pool)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for turn in 0..<64 {
                    group.addTask {
                        let user = turn % 2 == 0 ? people.ann.user : people.bob.user
                        let found = try await directory.acting(for: user).users.findMany().items
                        #expect(found.map(\.stream) == [user])
                    }
                }
                try await group.waitForAll()
            }
            await directory.close()
        }
    }
}
