-- Subjects by their ids, as an appender knows them: it reads userId itself, so that nothing is matched, sorted or made
-- distinct in the transaction of a group. The streams are ascending, so that two appenders meet in one order; of a stream
-- that is named twice, the first word stands.
create function note_subjects(streams uuid[], subjects uuid[]) returns void
language plpgsql volatile security definer as $$
begin
    insert into stream_subjects (stream_id, subject_id)
    select stream, subject
    from unnest(streams, subjects) as named(stream, subject)
    where stream <> subject and not exists (select from users where users.id = named.stream)
    on conflict (stream_id) do nothing;
end
$$;

-- The same by what events say, which need not be a user's id: what is none names nobody.
create or replace function note_subjects(streams uuid[], subjects text[]) returns void
language plpgsql volatile security definer as $$
begin
    perform note_subjects(array_agg(stream order by stream, place), array_agg(subject::uuid order by stream, place))
    from unnest(streams, subjects) with ordinality as named(stream, subject, place)
    where subject ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
end
$$;

do $$
begin
    execute format('alter function note_subjects(uuid[], uuid[]) set search_path = %I, pg_temp', current_schema());
    execute format('alter function note_subjects(uuid[], text[]) set search_path = %I, pg_temp', current_schema());
end
$$;

alter function note_subjects(uuid[], uuid[]) owner to recorder_owner;
revoke execute on function note_subjects(uuid[], uuid[]) from public;
grant execute on function note_subjects(uuid[], uuid[]) to recorder_appender, recorder_owner;
