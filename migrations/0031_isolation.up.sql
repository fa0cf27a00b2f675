-- Who sees whose rows. A connection of recorder_service sees those of the user for whom it acts, and none before it says
-- for whom. The log's other readers have roles of their own: appender and projector see all events, the analyst none.
-- Read models bring their policies along in their table.sql, so that every version and every rebuilt table has them.

-- Which user a stream is about: the first one that a session.started of it names (data.userId). Written in the
-- transaction that stores the event. A user's own stream, whose id is the user's, is his without a row here.
create table stream_subjects (
    stream_id   uuid  primary key,
    subject_id  uuid  not null
);

create index stream_subjects_subject_id_idx on stream_subjects (subject_id, stream_id);

-- Sessions of before this migration, as far as they are projected.
do $$
begin
    if to_regclass('conversation_sessions') is not null then
        insert into stream_subjects (stream_id, subject_id)
        select id, user_id from conversation_sessions where user_id is not null and id <> user_id;
    end if;
end
$$;

alter table stream_subjects owner to recorder_owner;
grant select on stream_subjects to recorder_service;

alter table stream_subjects enable row level security;
create policy own on stream_subjects for select to recorder_service using (subject_id = (select acting_user()));

-- What an identity frame (0006) holds as data.
create function identity_frame_data(frame bytea) returns jsonb language plpgsql immutable strict parallel safe as $$
declare
    place  int := 2;
    shift  int := 0;
    length int := 0;
    byte   int;
begin
    loop
        byte := get_byte(frame, place);
        length := length | ((byte & 127) << shift);
        place := place + 1;
        shift := shift + 7;
        exit when byte < 128;
    end loop;
    loop
        byte := get_byte(frame, place);
        place := place + 1;
        exit when byte < 128;
    end loop;
    return convert_from(substr(frame, place + 5, length), 'UTF8')::jsonb;
end
$$;

-- Remembers whom sessions are about, in the transaction that stores their first events. What is no user's id names
-- nobody. The first word stands: a stream that is about one user is never shown to another, and a user's own stream is
-- about nobody else. (In PL/pgSQL, whose plans a session keeps: a group of an appender is stored in few milliseconds.)
create function note_subjects(streams uuid[], subjects text[]) returns void
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

-- The append functions of 0007 all store through this one. It goes on as it was, and notes subjects behind it.
alter function append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]) rename to append_rows;

create function append_checked(
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

revoke execute on function append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]),
    note_subjects(uuid[], text[]) from public;
grant execute on function append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]),
    note_subjects(uuid[], text[]) to recorder_appender, recorder_owner;

-- append_own_events runs them with its owner's rights. A search_path that does not name pg_temp has it in front: a
-- caller's temporary table would be taken for ours, and its triggers would run with those rights.
do $$
declare
    name text;
begin
    foreach name in array array[
        'append_event(uuid, text, jsonb, jsonb, int, uuid, timestamptz)', 'append_events(jsonb)', 'event_type_id(text)',
        'append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[])',
        'append_rows(uuid[], int[], uuid[], text[], timestamptz[], bytea[])'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;

-- A new user's id is no session's id: his own stream is his to see.
create function refuse_taken_stream() returns trigger language plpgsql security definer as $$
begin
    if exists (select from stream_subjects where stream_id = new.id) then
        raise exception 'this id cannot be a user''s' using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create trigger refuse_taken_stream before insert on users for each row execute function refuse_taken_stream();

do $$
begin
    execute format('alter function refuse_taken_stream() set search_path = %I, pg_temp', current_schema());
    execute format('alter function note_subjects(uuid[], text[]) set search_path = %I, pg_temp', current_schema());
end
$$;

alter function refuse_taken_stream() owner to recorder_owner;
alter function note_subjects(uuid[], text[]) owner to recorder_owner;
revoke execute on function refuse_taken_stream() from public;

-- Users, models, documents: a service sees and changes those of its user, and makes none for another.
alter table users enable row level security;
create policy own on users to recorder_service
    using (id = (select acting_user())) with check (id = (select acting_user()));

alter table voice_models enable row level security;
create policy own on voice_models to recorder_service
    using (user_id = (select acting_user())) with check (user_id = (select acting_user()));

alter table face_models enable row level security;
create policy own on face_models to recorder_service
    using (user_id = (select acting_user())) with check (user_id = (select acting_user()));

alter table knowledge_documents enable row level security;
create policy own on knowledge_documents to recorder_service
    using (user_id = (select acting_user())) with check (user_id = (select acting_user()));

-- The log. A service reads events of its user's streams; it appends through append_own_events only.
grant select on events, event_types to recorder_service;

alter table events enable row level security;
create policy every_reader on events for select to recorder_appender, recorder_projector using (true);
create policy every_appender on events for insert to recorder_appender with check (true);
create policy own on events for select to recorder_service using (
    stream_id = (select acting_user())
    or exists (
        select from stream_subjects subject
        where subject.stream_id = events.stream_id and subject.subject_id = (select acting_user())
    )
);

-- Partitions are reached through events only, whose policies count then; nobody may read them by themselves. Should that
-- be granted one day, a partition without policies shows nothing.
alter function create_events_partitions(date, date) rename to make_events_partitions;

-- Creates monthly partitions (0004), closed like those that are there.
create function create_events_partitions(since date, until date) returns setof text
language plpgsql security definer as $$
declare
    partition text;
begin
    for partition in select * from make_events_partitions(since, until) loop
        execute format('alter table %I enable row level security', partition);
        return next partition;
    end loop;
end
$$;

alter function create_events_partitions(date, date) owner to recorder_owner;
revoke execute on function create_events_partitions(date, date) from public;
grant execute on function create_events_partitions(date, date) to recorder_appender, recorder_projector;
revoke execute on function make_events_partitions(date, date) from recorder_appender, recorder_projector;

do $$
declare
    partition regclass;
begin
    execute format('alter function create_events_partitions(date, date) set search_path = %I, pg_temp', current_schema());
    for partition in select inhrelid from pg_inherits where inhparent = 'events'::regclass loop
        execute format('alter table %s enable row level security', partition);
    end loop;
end
$$;

-- EXPLAIN tells how many rows the planner expects, from samples of everybody's values, if it may compare with them. Of
-- these columns it keeps none: nobody finds out by asking for estimates how many documents another has, or what they say.
alter table users alter email set statistics 0, alter personality_traits set statistics 0, alter settings set statistics 0;
alter index users_email_key alter column 1 set statistics 0;
alter table voice_models alter user_id set statistics 0, alter model_path set statistics 0;
alter table face_models alter user_id set statistics 0, alter model_path set statistics 0;
alter table knowledge_documents alter user_id set statistics 0, alter filename set statistics 0,
    alter text_content set statistics 0, alter vector_ids set statistics 0, alter text_search set statistics 0;
alter table stream_subjects alter subject_id set statistics 0;
