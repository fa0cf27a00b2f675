import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// What a role may do to its own rows, it must not be able to turn against the others.
@Suite struct RoleLimitsTests {
    /// Expects that SQL fails with an SQLSTATE, or succeeds if that is `nil`.
    private func expect(_ state: String?, of sql: String, in people: IsolationFixture) async throws {
        var found: PostgresError?
        do { try await people.directory.run(sql) } catch let error as PostgresError { found = error }
        #expect(found?.sqlState == state, "\(sql): \(found?.message ?? "")")
    }

    @Test func `a projector works with its tables, and has nobody run its code through them`() async throws {
        try await withIsolation { people in
            let plant = """
                set role recorder_projector; set search_path = recorder;
                create function planted() returns trigger language plpgsql as $$ begin return new; end $$;
                """
            for own in [
                "projection_checkpoints", "projection_quarantine", "projection_rebuilds",
                "projection_rebuild_quarantine", "projector_workers", "time_partitions",
            ] {
                let trigger =
                    "create trigger t before insert or update on \(own) for each row execute function planted()"
                try await expect("42501", of: "begin; \(plant) \(trigger)", in: people)
                let rename = "alter table \(own) rename to aside"
                try await expect("42501", of: "begin; \(plant) \(rename)", in: people)
                let use = "set role recorder_projector; select from recorder.\(own) for update"
                try await expect(nil, of: use, in: people)
            }
            // What reads the projector's tables runs with the projector's rights.
            let attack = """
                begin; set role recorder_projector; set search_path = recorder;
                create function caught() returns boolean language plpgsql as
                    $$ begin raise exception 'caught as %', current_user; end $$;
                create table planted (bucket_start timestamptz) partition by range (bucket_start);
                create view planted_default as select timestamptz '2033-01-15' as bucket_start where caught();
                insert into time_partitions values ('planted', 'month');
                select create_time_partitions('2033-01-01', '2033-01-01')
                """
            let error = await #expect(throws: PostgresError.self) { try await people.directory.run(attack) }
            #expect(error?.message == "caught as recorder_projector")
        }
    }

    @Test func `nobody locks the log by way of a dictionary, and appenders bring none`() async throws {
        try await withIsolation { people in
            let lock = """
                begin; set role recorder_analyst; create temporary table mine (id int);
                create trigger t before delete on mine for each row execute function recorder.refuse_dictionary_in_use()
                """
            try await expect("42501", of: lock, in: people)
            let bring = """
                set role recorder_appender;
                insert into recorder.dictionaries (id, bytes, trained_on, checksum) values (300, 'x', 'x', 'x')
                """
            try await expect("42501", of: bring, in: people)
        }
    }

    @Test func `a service makes no types, and stores nothing that is too large to be read`() async throws {
        try await withIsolation { people in
            let bob = people.bob.user
            let acting = "set role recorder_service; set recorder.user_id = '\(bob)'; set search_path = recorder;"
            let event = #"{"stream": "\#(bob)", "type": "user.made_up"}"#
            try await expect("42501", of: "\(acting) select append_own_events('[\(event)]')", in: people)
            // A frame of 2^20 + 64 bytes of data, most of which are blanks.
            let frame = """
                \(acting) select append_own_frames(array[uuid_v7()], array['user.updated'], array[
                    '\\x1000c080400000000000'::bytea || convert_to(rpad('{"userId": "\(bob)"', 1048639) || '}', 'UTF8')])
                """
            try await expect("RC002", of: frame, in: people)
            let large = """
                set role recorder_appender; set search_path = recorder;
                insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload)
                values (now(), 1, 1, 0, uuid_v7(), uuid_v7(), convert_to(repeat(' ', 2700000), 'UTF8'))
                """
            try await expect("23514", of: large, in: people)
        }
    }
}
