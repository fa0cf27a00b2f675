-- Without its keys nobody reads a sealed log again.
do $$
begin
    if exists (select from subject_keys) then
        raise exception 'there are keys of subjects: without them what is sealed in the log is lost'
            using errcode = 'RC003', hint = 'A log that was sealed keeps this migration.';
    end if;
end
$$;

drop function subjects_of(uuid[], uuid[]);

create or replace function append_checked(
    streams uuid[], expected int[], ids uuid[], types text[], occurred timestamptz[], payloads bytea[]
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile set search_path from current as $$
begin
    return query select a.* from append_rows(streams, expected, ids, types, occurred, payloads) a;
    if 'session.started' = any (types) then
        perform note_subjects(array_agg(u.stream order by n), array_agg(identity_frame_data(u.payload) ->> 'userId' order by n))
        from unnest(streams, types, payloads) with ordinality u(stream, type, payload, n)
        where u.type = 'session.started';
    end if;
end
$$;

do $$
begin
    execute format('alter function append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[])'
                   ' set search_path = %I, pg_temp', current_schema());
end
$$;

drop function refuse_personal_fields(text[], bytea[]);
drop function append_own_frames(uuid[], text[], bytea[]);
drop function open_payload(bytea);
drop function is_type_of(text, text);
drop function sealed_key(bytea);
drop table personal_fields;
drop function raise_sealing_generation();
drop table subject_keys;
drop function refuse_key_change();
drop table sealing;
