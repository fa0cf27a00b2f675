-- A session's events became those of a user who was made under the session's id before its session.started was stored, or at the
-- same moment: he saw them, and the user whom they are about did not.

-- A new user's id is no session's id: his own stream is his to see. An append that says at this moment whom the stream is about
-- is waited for by the key of stream_subjects, and one that comes now waits for us (note_subjects).
create or replace function refuse_taken_stream() returns trigger language plpgsql volatile security definer as $$
begin
    -- Row security refuses it without a word of what there is.
    if new.id <> acting_user() then
        return new;
    end if;
    insert into stream_subjects (stream_id, subject_id) values (new.id, new.id) on conflict do nothing;
    if not found or exists (
        select from events join event_types on event_types.id = events.type
        where events.stream_id = new.id
          and split_part(name, '.', 1) <> all (array['user', 'voice_model', 'face_model', 'document', 'access'])
    ) then
        raise exception 'this id cannot be a user''s' using errcode = 'insufficient_privilege';
    end if;
    -- A user's own stream is his without a row here.
    delete from stream_subjects where stream_id = new.id;
    return new;
end
$$;

-- As in 0040, but users are looked for behind the insert, and only where it stored something: one who was made meanwhile is
-- seen then. What is known already costs no more than before.
create or replace function note_subjects(streams uuid[], subjects uuid[]) returns void
language plpgsql volatile security definer as $$
begin
    insert into stream_subjects (stream_id, subject_id)
    select stream, subject
    from unnest(streams, subjects) as named(stream, subject)
    where stream <> subject
    on conflict (stream_id) do nothing;
    if found and exists (select from users where id = any (streams)) then
        delete from stream_subjects where stream_id in (select id from users where id = any (streams));
    end if;
end
$$;

do $$
begin
    execute format('alter function refuse_taken_stream() set search_path = %I, pg_temp', current_schema());
    execute format('alter function note_subjects(uuid[], uuid[]) set search_path = %I, pg_temp', current_schema());
end
$$;
