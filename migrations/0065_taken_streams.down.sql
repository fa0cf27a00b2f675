create or replace function refuse_taken_stream() returns trigger
language plpgsql volatile security definer as $$
begin
    if exists (select from stream_subjects where stream_id = new.id) then
        raise exception 'this id cannot be a user''s' using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create or replace function note_subjects(streams uuid[], subjects uuid[]) returns void
language plpgsql volatile security definer as $$
begin
    insert into stream_subjects (stream_id, subject_id)
    select stream, subject
    from unnest(streams, subjects) as named(stream, subject)
    where stream <> subject and not exists (select from users where users.id = named.stream)
    on conflict (stream_id) do nothing;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'refuse_taken_stream()',
        'note_subjects(uuid[], uuid[])'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;
