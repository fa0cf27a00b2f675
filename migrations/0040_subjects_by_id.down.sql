create or replace function note_subjects(streams uuid[], subjects text[]) returns void
language plpgsql volatile security definer as $$
begin
    insert into stream_subjects (stream_id, subject_id)
    select distinct on (stream) stream, subject::uuid
    from unnest(streams, subjects) with ordinality as named(stream, subject, place)
    where subject ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' and stream::text <> lower(subject)
      and not exists (select from stream_subjects known where known.stream_id = named.stream)
      and not exists (select from users where users.id = named.stream)
    order by stream, place
    on conflict (stream_id) do nothing;
end
$$;

do $$
begin
    execute format('alter function note_subjects(uuid[], text[]) set search_path = %I, pg_temp', current_schema());
end
$$;

drop function note_subjects(uuid[], uuid[]);
