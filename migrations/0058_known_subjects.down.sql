create or replace function begin_erasure(subject uuid, actor text, unknown_too boolean) returns bigint language plpgsql volatile as $$
declare
    about uuid;
begin
    if subject = '00000000-0000-0000-0000-000000000000' then
        raise exception 'the nil UUID is nobody' using errcode = 'RC008';
    end if;
    select subject_id into about from stream_subjects where stream_id = subject and subject_id <> subject;
    if found then
        raise exception '% is a session of user %: erase the user', subject, about using errcode = 'RC008';
    end if;
    if not (unknown_too or exists (select from users where id = subject)
            or exists (select from stream_subjects where subject_id = subject)
            or exists (select from events where stream_id = subject)
            or exists (select from erasures where subject_id = subject)) then
        raise exception '% is nobody whom this recorder knows', subject using errcode = 'RC008';
    end if;
    return begin_erasure(subject, actor);
end
$$;

do $$
begin
    execute format('alter function begin_erasure(uuid, text, boolean) set search_path = %I, pg_temp', current_schema());
end
$$;

drop function refuse_nobody(uuid, boolean);
