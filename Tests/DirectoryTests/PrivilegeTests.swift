import EventModel
import Postgres
import RecorderTesting
import Synchronization
import Testing

@testable import Directory

/// What the roles may not do, and what follows from what they may.
@Suite struct PrivilegeTests {
    private static let forbidden = [
        // Other roles.
        "set role recorder_owner", "set role recorder_analyst", "set role recorder_appender",
        "set role recorder_projector",
        "set session authorization recorder_owner", "set row_security = off; select * from users",
        "set session_replication_role = replica", "grant recorder_owner to test_service", "create role mallory",
        "alter role test_service bypassrls",
        // The tables' guards.
        "alter table users disable row level security", "create policy all_of_it on users using (true)",
        "drop policy own on users", "alter table users owner to test_service", "truncate users",
        "create trigger t before insert on users for each row execute function count_version()",
        "create rule r as on insert to users do also select 1", "alter table users disable trigger all",
        "create index on users (email)", "alter function acting_user() owner to test_service",
        // Things of one's own in the schema, to be found before the right ones.
        "create table recorder.mine (n int)",
        "create function recorder.acting_user() returns uuid language sql return null",
        "create view recorder.mine as select 1",
        "create operator recorder.= (leftarg = uuid, rightarg = uuid, function = uuid_ne)",
        "create schema mine", "create table public.mine (n int)",
        // Columns that say what was.
        "update users set version = 0", "update users set id = gen_random_uuid()",
        "update users set created_at = now()",
        "insert into users (id, email, version) values (gen_random_uuid(), 'a@b', 7)",
        "update knowledge_documents set user_id = gen_random_uuid()", "update voice_models set updated_at = now()",
        // The log and what is built from it.
        "insert into events select * from events", "update events set version = 0", "delete from events",
        "insert into stream_subjects values (gen_random_uuid(), acting_user())", "delete from stream_subjects",
        "select note_subjects(array[gen_random_uuid()], array[acting_user()::text])",
        "select append_event(acting_user(), 'user.updated', '{}')", "select append_events('[]')",
        "select append_checked('{}', '{}', '{}', '{}', '{}', '{}')",
        "select append_rows('{}', '{}', '{}', '{}', '{}', '{}')",
        "select event_type_id('user.updated')", "select * from events_default", "select nextval('events_position')",
        "select last_value from events_position", "select * from dictionaries",
        "insert into audit_logs_v1 select * from audit_logs_v1",
        "update conversation_sessions_v1 set user_id = acting_user()", "delete from audit_logs",
        "select * from latency_metrics_turns_v1",
        "select * from conversation_session_turns_v1", "select * from audit_sessions_v1",
        "select * from interruption_sessions_v1",
        "select * from projection_quarantine", "select * from projection_checkpoints",
        "select * from schema_migrations",
        // Without a column that is read, MERGE looks at all rows, and is refused at the first that is another's.
        "merge into voice_models m using (select 1) s on true when matched then delete",
        // Functions of operators.
        "select create_events_partitions(now()::date, now()::date)", "select repair_restored_log()",
        "select create_time_partitions(now()::date, now()::date)", "select * from restored_log_evidence()",
        "select refuse_unlogged_change()",
        // The server's.
        "select pg_read_file('PG_VERSION')", "select pg_ls_dir('.')", "copy users to '/tmp/users'",
        "select lo_import('/etc/passwd')",
        "select * from pg_authid", "create extension dblink",
    ]

    @Test func `a service cannot do what it does not need`() async throws {
        try await withIsolation { people in
            let before = try await people.contents()
            for sql in Self.forbidden {
                let error = await people.refusal(sql, as: people.bob)
                #expect(error?.code == .server)
                #expect(error.map { "\($0) \($0.detail ?? "")" }?.contains(IsolationFixture.secret) == false)
            }
            #expect(try await people.contents() == before)
        }
    }

    private static let tricks = [
        // Names found first in a session's own temporary schema.
        """
        create function pg_temp.seize() returns trigger language plpgsql as
            $$ begin raise exception using message = 'runs as ' || current_user; end $$;
        do $$
        declare
            name name;
        begin
            for name in select relname from pg_class where relnamespace = 'recorder'::regnamespace and relkind in ('r', 'p', 'v') loop
                execute format('create temp table %I (stream_id uuid, id int, name text, user_id uuid, subject_id uuid)', name);
                execute format('grant all on pg_temp.%I to public', name);
                execute format('create trigger seize before insert or update or delete on pg_temp.%I'
                               ' for each row execute function pg_temp.seize()', name);
            end loop;
        end $$;
        """,
        """
        create function pg_temp.acting_user() returns uuid language sql as $$ select '{ann}'::uuid $$;
        create function pg_temp.current_setting(text, boolean) returns text language sql as $$ select '{ann}' $$;
        create function pg_temp.append_events(jsonb) returns table (stream uuid, event_id uuid, version int, "position" bigint)
            language sql as $$ select null::uuid, null::uuid, 1, 1::bigint $$;
        """,
        "create function pg_temp.always(uuid, uuid) returns boolean language sql as 'select true';"
            + " create operator pg_temp.= (leftarg = uuid, rightarg = uuid, function = pg_temp.always);",
    ]

    @Test func `names of one's own change nothing that is found by name`() async throws {
        try await withIsolation { people in
            for trick in Self.tricks {
                let script =
                    trick.replacing("{ann}", with: "\(people.ann.user)")
                    + "set local search_path = pg_temp, recorder, pg_catalog;"
                let hits = try await people.attempt(
                    "\(script) select * from recorder.search_documents('pears', 10)",
                    as: people.bob
                )
                #expect(hits.count == 1 && !"\(hits)".contains(IsolationFixture.secret))
                for relation in IsolationFixture.readable {
                    let rows = try await people.attempt(
                        "\(script) select r::text from recorder.\(relation) r",
                        as: people.bob
                    )
                    #expect(!"\(rows)".contains(IsolationFixture.secret), "\(relation)")
                }
                let own = #"[{"stream": "\#(people.bob.user)", "type": "user.updated"}]"#
                let appended = try await people.attempt(
                    "\(script) select version from recorder.append_own_events('\(own)')",
                    as: people.bob
                )
                #expect(appended == [["5"]])
                let foreign = #"[{"stream": "\#(people.ann.user)", "type": "user.updated"}]"#
                let error = await people.refusal(
                    "\(script) select recorder.append_own_events('\(foreign)')",
                    as: people.bob
                )
                #expect(error?.sqlState == "42501")
            }
        }
    }

    @Test func `events go to one's own stream only, and are of one's own affairs`() async throws {
        try await withIsolation { people in
            let session = try #require(try await people.bob.sessions.findOne(Query())).id
            for (stream, type) in [
                ("\(people.ann.user)", "user.updated"), ("\(session)", "user.updated"),
                ("\(people.bob.user)", "session.started"),
                ("\(people.bob.user)", "turn.started"), ("\(people.bob.user)", "users"),
                ("\(StreamID.generate(at: .now()))", "user.updated"),
            ] {
                let events =
                    #"[{"stream": "\#(people.bob.user)", "type": "user.updated"}, {"stream": "\#(stream)", "type": "\#(type)"}]"#
                let error = await people.refusal("select append_own_events('\(events)')", as: people.bob)
                #expect(error?.sqlState == "42501", "\(stream) \(type)")
            }
            for events in ["{}", "[1]", #"[{"type": "user.updated"}]"#, "null"] {
                let error = await people.refusal("select append_own_events('\(events)')", as: people.bob)
                #expect(error?.code == .server)
            }
            // Whose chain of the audit log it is in follows from what the event says.
            for data in [#"{"userId": "\#(people.ann.user)"}"#, #"{"userId": 7}"#] {
                let events = #"[{"stream": "\#(people.bob.user)", "type": "user.updated", "data": \#(data)}]"#
                let error = await people.refusal("select append_own_events('\(events)')", as: people.bob)
                #expect(error?.sqlState == "42501", "\(data)")
            }
            let before = try await people.bob.auditLog.count()
            try await withConnection(people.directory.service) { connection in
                let event = #"{"stream": "\#(people.bob.user)", "type": "document.processed"}"#
                try await connection.run(
                    unsafeSQL: "begin; set local recorder.user_id = '\(people.bob.user)'; "
                        + "select append_own_events('[\(event)]'); commit"
                )
            }
            try await people.directory.project()
            #expect(try await people.bob.auditLog.count() == before + 1)
            let silent = await people.refusal("select append_own_events('[]')", as: nil)
            #expect(silent?.sqlState == "42501")
            for word in ["'", "xyz", "'; select 1"] {
                let error = await people.refusal(
                    "select set_config('recorder.user_id', $w$\(word)$w$, true); select * from users",
                    as: nil
                )
                #expect(error?.sqlState == "22P02")
            }
        }
    }

    @Test func `a session is about the first user that it names, and a user's stream about no other`() async throws {
        try await withIsolation { people in
            let session = StreamID.generate(at: .now())
            func append(_ stream: StreamID, _ user: String) async throws {
                try await people.directory.run(
                    "set role recorder_appender; select append_event('\(stream)', 'session.started', '{\"userId\": \"\(user)\"}')"
                )
            }
            func subject(_ stream: StreamID) async throws -> [[String?]] {
                try await people.directory.text("select subject_id from stream_subjects where stream_id = '\(stream)'")
            }
            try await people.directory.run(
                "set role recorder_appender; select note_subjects(array['\(session)'::uuid], array['not a user'])"
            )
            #expect(try await subject(session) == [])
            try await append(session, "\(people.ann.user)".uppercased())
            try await append(session, "\(people.bob.user)")
            #expect(try await subject(session) == [["\(people.ann.user)"]])
            try await append(people.ann.user, "\(people.bob.user)")
            #expect(try await subject(people.ann.user) == [])
            #expect(
                try await people.attempt(
                    "select count(*) from events where stream_id = '\(people.ann.user)'",
                    as: people.bob
                ) == [["0"]]
            )
            // Nor can a session's id become a user's, who would then see its stream as their own.
            await expect(.denied) {
                try await people.directory.directory.acting(for: session).users.create(.init(email: "new@example.org"))
            }
            // A session that changed hands is shown to neither: it says that it is Bob's, and holds Ann's words.
            try await people.directory.project()
            for person in [people.ann, people.bob] { #expect(try await person.sessions.find(session) == nil) }
        }
    }

    @Test(.timeLimit(.minutes(5))) func `a notification says that something happened, and nothing else`() async throws {
        try await withIsolation { people in
            let listener = PostgresNotifications(people.directory.service, channels: ["recorder_events"])
            var notifications = listener.makeAsyncIterator()
            #expect(try await notifications.next() == .listening(again: false))
            try await people.ann.documents.create(
                .init(filename: IsolationFixture.secret, textContent: IsolationFixture.secret)
            )
            #expect(try await notifications.next() == .received(channel: "recorder_events", payload: ""))
        }
    }

    @Test(arguments: [
        (
            "recorder_analyst",
            ["conversation_sessions", "conversation_turns", "conversation_costs", "audit_logs", "latency_metrics"],
            [
                "users", "voice_models", "face_models", "knowledge_documents", "events", "stream_subjects",
                "audit_sessions_v1",
            ]
        ),
        (
            "recorder_projector", ["events", "conversation_sessions", "audit_logs_v1"],
            ["users", "voice_models", "face_models", "knowledge_documents", "stream_subjects"]
        ),
        (
            "recorder_appender", ["events"],
            [
                "users", "voice_models", "face_models", "knowledge_documents", "stream_subjects", "conversation_turns",
                "audit_logs",
            ]
        ),
    ])
    func `each role has what it needs and no more`(role: String, readable: [String], closed: [String]) async throws {
        try await withIsolation { people in
            for relation in readable {
                let rows = try await people.directory.text("set role \(role); select count(*) > 0 from \(relation)")
                let isEmpty = relation == "latency_metrics"
                #expect(rows == [[isEmpty ? "f" : "t"]], "\(relation)")
                if relation != "latency_metrics", role != "recorder_projector" {
                    let all = try await people.directory.text("select count(*) from \(relation)")
                    #expect(
                        try await people.directory.text("set role \(role); select count(*) from \(relation)") == all
                    )
                }
            }
            for relation in closed {
                let error = await #expect(throws: PostgresError.self, "\(role) reads \(relation)") {
                    try await people.directory.text("set role \(role); select count(*) from \(relation)")
                }
                #expect(error?.sqlState == "42501")
            }
        }
    }

    /// A table that is added without a thought of whose rows it holds fails here.
    @Test func `every table has row-level security, but those that hold nothing of users`() async throws {
        try await withTestConnection { connection in
            let open = try await connection.text(
                unsafeSQL: """
                    select create_events_partitions('2031-01-01', '2031-02-01');
                    select relname from pg_class where relnamespace = 'recorder'::regnamespace and relkind in ('r', 'p')
                        and not relrowsecurity and relname !~ '^latency_metrics_(minutes|hours|days)_v1_' order by 1
                    """
            ).compactMap { $0[0] }
            #expect(Set(open) == Self.tablesWithoutUsers)
        }
    }

    private static let tablesWithoutUsers: Set<String> = [
        "cache_statistics", "dictionaries", "embedding_cache", "event_types", "interruptions_v1",
        "latency_metrics_days_v1", "latency_metrics_hours_v1",
        "latency_metrics_minutes_v1", "log_home", "log_repairs", "model_prices", "personal_fields",
        "projection_checkpoints",
        "projection_quarantine",
        "projection_rebuild_quarantine", "projection_rebuilds", "projector_workers", "schema_migrations",
        "retention_policies", "schema_projections", "sealing",
        "time_partitions",
    ]
}
