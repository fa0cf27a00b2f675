-- Keys of data subjects, and what is sealed under them.
--
-- The subject of an event is the user whom its stream is about (stream_subjects, or a user's own stream), else the stream
-- itself. What is personal in the event's payload is sealed under the subject's key, which lies here wrapped by a
-- key-encryption key that the database does not have. Erasing a user destroys his key and those of his streams: then
-- nobody reads what they sealed, here, in a backup or in the write-ahead log, as long as the key-encryption key is apart.

-- Whether the log is sealed: one row. The generation is raised by whatever makes keys that a process remembers stale:
-- destroyed keys, another key-encryption key, other personal fields.
create table sealing (
    is_only         boolean      primary key default true,
    initialised_at  timestamptz,
    kek_id          text,
    generation      bigint       not null default 0,
    constraint sealing_is_only check (is_only),
    constraint sealing_kek check ((initialised_at is null) = (kek_id is null))
);

insert into sealing default values;

create table subject_keys (
    id            bigint       generated always as identity primary key,
    subject_id    uuid         not null unique,
    wrapped_key   bytea,
    kek_id        text         not null,
    created_at    timestamptz  not null default clock_timestamp(),
    destroyed_at  timestamptz,
    constraint subject_keys_destroyed check ((destroyed_at is null) = (wrapped_key is not null)),
    constraint subject_keys_wrapped_key check (octet_length(wrapped_key) <= 65536),
    constraint subject_keys_kek_id check (octet_length(kek_id) between 1 and 512)
);

create index subject_keys_kek_id_idx on subject_keys (kek_id) where destroyed_at is null;

-- A key that was destroyed does not come back, and a frame's key is not taken away from under it.
create function refuse_key_change() returns trigger language plpgsql as $$
begin
    if tg_op <> 'UPDATE' then
        raise exception '% on subject_keys is refused: frames refer to its rows', tg_op
            using errcode = 'RC003', hint = 'A key is destroyed by `recorder subject erase`.';
    elsif old.destroyed_at is not null or new.id <> old.id or new.subject_id <> old.subject_id
          or new.created_at <> old.created_at then
        raise exception 'key % stays what it is', old.id
            using errcode = 'RC003', hint = 'A key is wrapped anew by `recorder keys rotate`, or destroyed for ever.';
    end if;
    return new;
end
$$;

create trigger refuse_key_change before update or delete on subject_keys for each row execute function refuse_key_change();
create trigger refuse_truncate before truncate on subject_keys for each statement execute function refuse_key_change();

-- Which members of an event's data and metadata are personal. A pattern is a type, noun.* for all of a noun, or * for all.
-- Operators may add rows; what was stored before stays as it is.
create table personal_fields (
    type    text  not null,
    source  text  not null,
    field   text  not null,
    primary key (source, field, type),
    constraint personal_fields_type check (type ~ '^(\*|[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?)$'),
    constraint personal_fields_source check (source in ('data', 'metadata')),
    constraint personal_fields_field check (octet_length(field) between 1 and 128)
);

insert into personal_fields (type, source, field) values
    ('*', 'metadata', 'ipAddress'),
    ('*', 'metadata', 'userAgent'),
    ('turn.transcribed', 'data', 'userTranscript'),
    ('turn.transcribed', 'data', 'alternatives'),
    ('turn.retrieved', 'data', 'query'),
    ('turn.retrieved', 'data', 'documents'),
    ('turn.generated', 'data', 'llmResponse'),
    ('turn.interrupted', 'data', 'spokenText'),
    ('turn.failed', 'data', 'message'),
    ('user.*', 'data', 'email'),
    ('user.*', 'data', 'name'),
    ('user.*', 'data', 'phone'),
    ('user.*', 'data', 'settings'),
    ('user.*', 'data', 'personalityTraits'),
    ('user.*', 'data', 'ipAddress'),
    ('user.*', 'data', 'userAgent'),
    ('voice_model.*', 'data', 'modelPath'),
    ('face_model.*', 'data', 'modelPath'),
    ('document.*', 'data', 'filename'),
    ('document.*', 'data', 'textContent'),
    ('document.*', 'data', 'vectorIds');

create function raise_sealing_generation() returns trigger language plpgsql volatile security definer as $$
begin
    update sealing set generation = generation + 1;
    return null;
end
$$;

create trigger raise_generation after insert or update or delete or truncate on personal_fields
    for each statement execute function raise_sealing_generation();

-- The id of the key that a frame is sealed under; NULL if nothing of it is sealed. The layout is PayloadCodec's.
create function sealed_key(frame bytea) returns bigint language plpgsql immutable strict parallel safe as $$
declare
    place  int := 1;
    shift  int := 0;
    byte   int;
    key    bigint := 0;
begin
    if get_byte(frame, 0) & 8 = 0 then
        return null;
    end if;
    for number in 1 .. 3 loop  -- dictionary and the two lengths
        loop
            byte := get_byte(frame, place);
            place := place + 1;
            exit when byte < 128;
        end loop;
    end loop;
    place := place + 4;  -- the checksum
    loop
        byte := get_byte(frame, place);
        key := key | ((byte & 127)::bigint << shift);
        place := place + 1;
        shift := shift + 7;
        exit when byte < 128;
    end loop;
    return key;
end
$$;

-- Whether a pattern of personal_fields is meant for a type.
create function is_type_of(pattern text, type text) returns boolean language sql immutable strict parallel safe
return pattern = '*' or pattern = type
    or (right(pattern, 2) = '.*' and starts_with(type, left(pattern, -1)));

-- What of an uncompressed frame is not sealed. The layout is PayloadCodec's.
create function open_payload(frame bytea, out data jsonb, out metadata jsonb)
language plpgsql immutable parallel safe as $$
declare
    place    int := 2;
    shift    int;
    byte     int;
    numbers  int[];
    lengths  int[] := '{0,0}';
begin
    if get_byte(frame, 0) not in (16, 18, 24, 26) or get_byte(frame, 1) <> 0 then
        raise exception 'a frame is not one of a payload that was stored as it is' using errcode = 'RC002';
    end if;
    for number in 1 .. 2 loop
        shift := 0;
        loop
            byte := get_byte(frame, place);
            lengths[number] := lengths[number] | ((byte & 127) << shift);
            place := place + 1;
            shift := shift + 7;
            exit when byte < 128;
        end loop;
    end loop;
    place := place + 4;  -- the checksum
    if get_byte(frame, 0) & 8 <> 0 then
        -- The key, how many places, the places, the length of what is sealed.
        numbers := '{}';
        while cardinality(numbers) < 3 or cardinality(numbers) < 3 + numbers[2] loop
            numbers := numbers || 0;
            shift := 0;
            loop
                byte := get_byte(frame, place);
                numbers[cardinality(numbers)] := numbers[cardinality(numbers)] | ((byte & 127) << shift);
                place := place + 1;
                shift := shift + 7;
                exit when byte < 128;
            end loop;
        end loop;
        place := place + numbers[cardinality(numbers)];
    end if;
    data := convert_from(substr(frame, place + 1, lengths[1]), 'UTF8')::jsonb;
    metadata := case when lengths[2] = 0 then '{}'
                     else convert_from(substr(frame, place + 1 + lengths[1], lengths[2]), 'UTF8')::jsonb end;
end
$$;

-- Refuses events of SQL clients that carry personal values, once the log is sealed: the key-encryption key is not here.
-- Such values go through an appender that has it, or stay out of the event.
create function refuse_personal_fields(types text[], payloads bytea[]) returns void
language plpgsql stable security definer as $$
declare
    found_field record;
begin
    if not exists (select from sealing where initialised_at is not null) then
        return;
    end if;
    select u.place::int as event, p.source || '.' || p.field as field into found_field
    from unnest(types, payloads) with ordinality u(type, payload, place)
    cross join lateral open_payload(u.payload) json
    join personal_fields p on is_type_of(p.type, u.type)
    where jsonb_typeof(case p.source when 'data' then json.data else json.metadata end -> p.field) <> 'null'
    order by u.place
    limit 1;
    if found then
        perform refuse_event(found_field.event, found_field.field,
            'is personal, and this log is sealed: append it with a key (the Swift appender, `recorder append`), or leave it out');
    end if;
end
$$;

-- All append functions store through this one (0031).
create or replace function append_checked(
    streams uuid[], expected int[], ids uuid[], types text[], occurred timestamptz[], payloads bytea[]
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile set search_path from current as $$
begin
    perform refuse_personal_fields(types, payloads);
    return query select a.* from append_rows(streams, expected, ids, types, occurred, payloads) a;
    if 'session.started' = any (types) then
        perform note_subjects(array_agg(u.stream order by n), array_agg(identity_frame_data(u.payload) ->> 'userId' order by n))
        from unnest(streams, types, payloads) with ordinality u(stream, type, payload, n)
        where u.type = 'session.started';
    end if;
end
$$;

-- Appends events about the acting user to his own stream, as append_own_events (0030) does, for services that have the key:
-- what is personal is sealed in the frames, which are not compressed, so that the rest is checked here as it is there.
create function append_own_frames(ids uuid[], types text[], frames bytea[])
returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile security definer as $$
begin
    if acting_user() is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif exists (
        select from unnest(types, frames) event(type, frame) cross join lateral open_payload(frame) json
        where split_part(checked_type(1, type), '.', 1) <> all (array['user', 'voice_model', 'face_model', 'document', 'access'])
           or lower(json.data ->> 'userId') is distinct from acting_user()::text
    ) then
        raise exception 'events of users, models, documents and access go to the acting user''s own stream only'
            using errcode = 'insufficient_privilege';
    elsif exists (
        select from unnest(frames) frame join subject_keys key on key.id = sealed_key(frame)
        where key.subject_id <> acting_user()
    ) then
        raise exception 'a frame is sealed under another''s key' using errcode = 'insufficient_privilege';
    end if;
    perform refuse_personal_fields(types, frames);
    return query select a.* from append_rows(
        array_fill(acting_user(), array[cardinality(ids)]), array_fill(null::int, array[cardinality(ids)]), ids, types,
        array_fill(clock_timestamp(), array[cardinality(ids)]), frames) a;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array['sealing', 'subject_keys', 'personal_fields'] loop
        execute format('alter table %I owner to recorder_owner', name);
    end loop;
    foreach name in array array[
        'refuse_key_change()', 'raise_sealing_generation()', 'sealed_key(bytea)', 'is_type_of(text, text)',
        'refuse_personal_fields(text[], bytea[])', 'open_payload(bytea)', 'append_own_frames(uuid[], text[], bytea[])'
    ] loop
        execute format('alter function %s owner to recorder_owner', name);
    end loop;
    -- What runs with its owner's rights must not find a caller's temporary tables before ours.
    foreach name in array array[
        'raise_sealing_generation()', 'refuse_personal_fields(text[], bytea[])', 'append_own_frames(uuid[], text[], bytea[])',
        'append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[])'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
    foreach name in array array[
        'raise_sealing_generation()', 'refuse_personal_fields(text[], bytea[])', 'append_own_frames(uuid[], text[], bytea[])'
    ] loop
        execute format('revoke execute on function %s from public', name);
    end loop;
end
$$;

grant execute on function refuse_personal_fields(text[], bytea[]) to recorder_appender, recorder_owner;
grant execute on function append_rows(uuid[], int[], uuid[], text[], timestamptz[], bytea[]) to recorder_owner;
grant execute on function append_own_frames(uuid[], text[], bytea[]) to recorder_service;
grant select on sealing, personal_fields to recorder_appender, recorder_projector, recorder_service;
grant select on subject_keys to recorder_appender, recorder_projector, recorder_service;
grant insert (subject_id, wrapped_key, kek_id) on subject_keys to recorder_appender, recorder_service;

-- Whoever has all events has all wrapped keys; who acts for a user has that user's.
alter table subject_keys enable row level security;
create policy every_reader on subject_keys for select to recorder_appender, recorder_projector using (true);
create policy every_writer on subject_keys for insert to recorder_appender with check (true);
create policy own on subject_keys for select to recorder_service using (subject_id = (select acting_user()));
create policy own_insert on subject_keys for insert to recorder_service with check (subject_id = (select acting_user()));

-- Under whose key events of streams are sealed: the user whom a stream is about, else the one that its first event names,
-- else the stream itself.
--
-- PL/pgSQL, whose plans a session keeps: a function in SQL is planned at each call, which took most of the call's time. Each
-- stream is looked up alone, so that a plan that was made while the table was small does not read all of it later.
create function subjects_of(streams uuid[], named uuid[]) returns table (stream_id uuid, subject_id uuid)
language plpgsql stable security definer rows 10 as $$
#variable_conflict use_column
begin
    return query
        select wanted.stream_id, coalesce(known.subject_id, wanted.named, wanted.stream_id)
        from unnest(streams, named) as wanted(stream_id, named)
        left join lateral (
            select s.subject_id from stream_subjects s where s.stream_id = wanted.stream_id limit 1
        ) known on true;
end
$$;

do $$
begin
    execute format('alter function subjects_of(uuid[], uuid[]) set search_path = %I, pg_temp', current_schema());
end
$$;

alter function subjects_of(uuid[], uuid[]) owner to recorder_owner;
revoke execute on function subjects_of(uuid[], uuid[]) from public;
grant execute on function subjects_of(uuid[], uuid[]) to recorder_appender;
