-- Whoever only ever was exported, looked for or refused is not known by it: an export of a mistyped id made the erasure of that
-- id possible. Exports and erasures are refused alike.
create function refuse_nobody(subject uuid, unknown_too boolean) returns void language plpgsql stable as $$
declare
    about uuid;
begin
    if subject = '00000000-0000-0000-0000-000000000000' then
        raise exception 'the nil UUID is nobody' using errcode = 'RC008';
    end if;
    select subject_id into about from stream_subjects where stream_id = subject and subject_id <> subject;
    if found then
        raise exception '% is a session of user %: name the user', subject, about using errcode = 'RC008';
    end if;
    if not (unknown_too or exists (select from users where id = subject)
            or exists (select from stream_subjects where subject_id = subject)
            or exists (select from events e join event_types t on t.id = e.type
                       where e.stream_id = subject and not starts_with(t.name, 'access.'))
            or exists (select from erasures where subject_id = subject)) then
        raise exception '% is nobody whom this recorder knows', subject using errcode = 'RC008';
    end if;
end
$$;

create or replace function begin_erasure(subject uuid, actor text, unknown_too boolean) returns bigint
language plpgsql volatile as $$
begin
    perform refuse_nobody(subject, unknown_too);
    return begin_erasure(subject, actor);
end
$$;

alter function refuse_nobody(uuid, boolean) owner to recorder_owner;
revoke execute on function refuse_nobody(uuid, boolean) from public;
grant execute on function refuse_nobody(uuid, boolean) to recorder_owner;

do $$
begin
    execute format('alter function refuse_nobody(uuid, boolean) set search_path = %I, pg_temp', current_schema());
    execute format('alter function begin_erasure(uuid, text, boolean) set search_path = %I, pg_temp', current_schema());
end
$$;
