import Postgres
import RecorderTesting
import Testing

@testable import Directory

/// What runs with its owner's rights runs nothing that another has made: a projector may make functions and operators
/// in the schema, and one that fits a call more exactly than the server's own is taken before it.
@Suite struct OwnerRightsTests {
    @Test func `every function of the server is called by its full name`() async throws {
        try await withTestConnection { connection in
            let short = try await connection.text(
                unsafeSQL: #"""
                    with recursive own as (
                        select oid, proname, prosecdef, regexp_replace(prosrc, '--[^\n]*', '', 'g') as body
                        from pg_proc where pronamespace = 'recorder'::regnamespace and prosqlbody is null and prokind = 'f'
                    ), reached as (
                        select oid from own
                        where prosecdef or oid in (select tgfoid from pg_trigger where tgrelid = 'events'::regclass)
                        union
                        select callee.oid from reached join own caller using (oid)
                        join own callee on caller.body ~ ('\m' || callee.proname || '\(')
                    ), called as (
                        select proname, regexp_matches(body, '(?<![[:alnum:]_."$])([a-z_][a-z0-9_]*)\(([^()]*)', 'g') as words
                        from own join reached using (oid)
                    )
                    select distinct proname, words[1] from called
                    where words[1] in (select proname from pg_proc where pronamespace = 'pg_catalog'::regnamespace)
                        -- These are of the grammar, which takes the server's; so is unnest of several arrays.
                        and words[1] <> all (array['bit', 'extract', 'overlay']) and not (words[1] = 'unnest' and words[2] ~ ',')
                    """#
            )
            #expect(short == [])
        }
    }

    /// Functions and operators that fit the calls of the recorder's functions
    /// exactly, as far as the server has none that do.
    private static let traps = """
        set role recorder_projector; set search_path = pg_catalog;
        do $$
        declare
            types text[] := array['text', 'name', 'bool', 'int2', 'int4', 'int8', 'float8', 'numeric', 'date', 'timestamptz', 'interval',
                                  'uuid', 'bytea', 'jsonb', 'oid', 'regclass', 'uuid[]', 'int4[]', 'int8[]'];
            left_type text; right_type text; sign text; call text;
        begin
            foreach left_type in array types loop foreach right_type in array types loop
                execute format('create function recorder.caught(%s, %s) returns boolean language plpgsql as'
                               ' $f$ begin raise exception ''caught as %%'', current_user; end $f$', left_type, right_type);
                foreach sign in array array['=', '<>', '<', '>', '<=', '>=', '||', '->', '->>', '?', '&', '|', '+', '-', '*'] loop
                    if not exists (select from pg_operator where oprnamespace = 'pg_catalog'::regnamespace and oprname = sign
                                   and oprleft = left_type::regtype and oprright = right_type::regtype) then
                        execute format('create operator recorder.%s (leftarg = %s, rightarg = %s, function = recorder.caught)',
                                       sign, left_type, right_type);
                    end if;
                end loop;
            end loop; end loop;
            foreach call in array array[
                'date_trunc(text, date) returns timestamptz', 'to_char(date, text) returns text', 'format(text, text) returns text',
                'format(text, text, text) returns text', 'cardinality(uuid[]) returns int', 'unnest(uuid[]) returns setof uuid',
                'count(uuid) returns bigint', 'array_position(uuid[], uuid) returns int', 'pg_notify(name, text) returns void',
                'jsonb_build_object(text, uuid) returns jsonb', 'uuid_v7() returns uuid', 'clear_cache(text) returns text',
                'clear_cache(text, text) returns text', 'chr(bigint) returns text', 'substr(text, bigint) returns text'
            ] loop
                execute format('create function recorder.%s language plpgsql as'
                               ' $f$ begin raise exception ''caught as %%'', current_user; end $f$', call);
            end loop;
        end $$;
        """

    @Test func `a projector's function or operator is never called in the place of the server's`() async throws {
        try await withIsolation { people in
            let bob = people.bob.user
            let acting = "set role recorder_service; set recorder.user_id = '\(bob)'"
            let own =
                #"{"stream": "\#(bob)", "type": "user.updated"}, {"stream": "\#(bob)", "type": "document.updated"}"#
            let stream = "01890000-0000-7000-8000-000000000001"
            try await people.directory.run(
                """
                select append_event(uuid_v7_floor('2033-03-15 12:00+00'), 'note.taken', '{}');
                insert into subject_keys (subject_id, wrapped_key, kek_id) values ('\(bob)', 'x', 'y')
                """
            )
            try await people.directory.run(Self.traps)
            // What is caught raises 'caught', and what an operator makes of its operands fits no more than that.
            let calls: [(sql: String, state: String?)] = [
                ("set role recorder_projector; select create_events_partitions('2033-01-01', '2033-03-01')", nil),
                ("set role recorder_projector; select create_time_partitions('2033-01-01', '2033-02-01')", nil),
                ("set role recorder_projector; select summarize_events()", nil),
                ("set role recorder_analyst; select cache_table_figures()", nil),
                (
                    "\(acting); begin; select append_own_events('[\(own)]'); update users set settings = '{}'; commit",
                    nil
                ),
                (
                    "\(acting); begin; select append_own_events('[\(own)]'); update knowledge_documents set text_content = 'x'; commit",
                    nil
                ),
                ("\(acting); begin isolation level repeatable read; delete from knowledge_documents; rollback", nil),
                ("\(acting); select append_own_events('{}')", "RC002"),
                ("\(acting); select append_own_events('[1]')", "RC002"),
                (
                    """
                    \(acting); select append_own_frames(array['\(stream)'::uuid], array['user.updated'],
                        array[identity_frame('{"userId": "\(bob)"}', '{}')])
                    """, nil
                ),
                (
                    "\(acting); select append_own_frames(array['\(stream)'::uuid], array['a'], array[null::bytea])",
                    "RC002"
                ),
                ("\(acting); select search_documents('pears -apple', 10, 0.5::float8, '\(bob)')", nil),
                ("\(acting); select count_cache_hits('embedding', '{\(bob)}', '{abc}', '{1}')", nil),
                ("\(acting); select count_cache_hits('llm_response', '{\(bob)}', '{abc}', '{1}')", nil),
                ("\(acting); select sweep_caches(), sweep_rate_limits()", nil),
                ("\(acting); select take_token('a', 5, 0.001, 4) from pg_catalog.generate_series(1, 2)", nil),
                ("\(acting); select take_token('a', 5, 0.001, 0)", "22023"),
                ("\(acting); select take_token('a', 0, 1)", "22023"),
                ("\(acting); select refuse_erased('\(bob)')", nil),
                ("set role recorder_appender; select append_event('\(stream)', 'new.type', '{}', '{\"a\": 1}')", nil),
                (
                    """
                    set role recorder_appender; select append_events('[{"stream": "\(stream)", "type": "session.started",
                        "data": {"userId": "\(bob)"}, "expectedVersion": 1, "occurredAt": "2026-06-30T23:59:60Z"}]')
                    """, nil
                ),
                (
                    "set role recorder_appender; select append_events('[{\"stream\": \"\(stream)\", \"bad\": 1}]')",
                    "RC002"
                ),
                ("set role recorder_owner; select clear_cache()", nil),
                ("set role recorder_owner; select restored_log_evidence()", nil),
            ]
            for call in calls {
                var found: PostgresError?
                do { try await people.directory.run(call.sql) } catch let error as PostgresError { found = error }
                #expect(found?.sqlState == call.state, "\(call.sql): \(found?.message ?? "")")
            }
        }
    }
}
