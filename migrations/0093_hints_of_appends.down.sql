create or replace function append_own_events(
    events jsonb
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile security definer as $$
begin
    if acting_user() is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif pg_catalog.jsonb_typeof(events) is distinct from 'array' then
        perform refuse_event(0, 'events', 'is not an array');
    end if;
    perform refuse_event(place::int, 'event', 'is not a JSON object')
    from pg_catalog.jsonb_array_elements(events) with ordinality e(event, place)
        where pg_catalog.jsonb_typeof(event) <> 'object' order by place;
    if exists (
        select from pg_catalog.jsonb_array_elements(events) event
        where pg_catalog.lower(event ->> 'stream'::text) is distinct from acting_user()::text
           or not is_services_type(event ->> 'type'::text)
           or pg_catalog.lower(event -> 'data'::text ->> 'userId'::text) <> acting_user()::text
    ) then
        raise exception 'events of users, models, documents and access go to the acting user''s own stream only, and those of holds'
            ' are the recorder''s'
            using errcode = 'insufficient_privilege';
    end if;
    return query select * from append_events((
        select coalesce(pg_catalog.jsonb_agg(
            case when coalesce(pg_catalog.jsonb_typeof(event -> 'data'::text), 'object') = 'object'
                 then pg_catalog.jsonb_set(event, '{data}', coalesce(event -> 'data'::text, '{}')
                     || pg_catalog.jsonb_build_object('userId', acting_user()))
                 else event end
            order by place
        ), '[]')
        from pg_catalog.jsonb_array_elements(events) with ordinality e(event, place)
    ));
end
$$;

create or replace function append_own_frames(
    ids uuid[], types text[], frames bytea[]
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile security definer as $$
begin
    if acting_user() is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif (pg_catalog.cardinality(ids) = pg_catalog.cardinality(types)
        and pg_catalog.cardinality(ids) = pg_catalog.cardinality(frames)) is not true then
        perform refuse_event(0, 'events', 'have not as many ids, types and frames');
    elsif pg_catalog.array_position(ids, null) is not null then
        perform refuse_event(pg_catalog.array_position(ids, null), 'id', 'is missing');
    elsif pg_catalog.array_position(frames, null) is not null then
        perform refuse_event(pg_catalog.array_position(frames, null), 'frame', 'is missing');
    end if;
    if exists (
        select from unnest(types, frames) event(type, frame) cross join lateral open_payload(frame) json
        where not is_services_type(checked_type(1, type))
           or pg_catalog.lower(json.data ->> 'userId'::text) is distinct from acting_user()::text
    ) then
        raise exception 'events of users, models, documents and access go to the acting user''s own stream only, and those of holds'
            ' are the recorder''s'
            using errcode = 'insufficient_privilege';
    elsif exists (
        select from pg_catalog.unnest(frames) frame
        where sealed_key(frame) is not null and not exists (
            select from subject_keys key where key.id = sealed_key(frame) and key.subject_id = acting_user()
        )
    ) then
        raise exception 'a frame is sealed under a key that is not the acting user''s' using errcode = 'insufficient_privilege';
    elsif (select pg_catalog.count(id) <> pg_catalog.count(distinct id) from pg_catalog.unnest(ids) id) then
        perform refuse_event(1, 'id', 'occurs twice in this append to the stream');
    end if;
    perform checked_object(place::int, 'data', json.data), checked_object(place::int, 'metadata', json.metadata)
    from pg_catalog.unnest(frames) with ordinality event(frame, place) cross join lateral open_payload(frame) json;
    perform refuse_personal_fields(types, frames);
    return query select a.* from append_rows(
        pg_catalog.array_fill(acting_user(), array[pg_catalog.cardinality(ids)]), pg_catalog.array_fill(null::int,
            array[pg_catalog.cardinality(ids)]), ids, types,
        pg_catalog.array_fill(pg_catalog.clock_timestamp(), array[pg_catalog.cardinality(ids)]), frames) a;
end
$$;

create or replace function event_type_id(type_name text) returns smallint
language plpgsql volatile as $$
declare
    found_id smallint;
begin
    loop
        select id into found_id from event_types where name = type_name;
        exit when found;
        begin
            insert into event_types (name) values (type_name) on conflict do nothing returning id into found_id;
        exception when sequence_generator_limit_exceeded then
            if (select pg_catalog.count(*) = 32767 from event_types) then
                raise exception 'there are 32,767 event types, as many as there can be; use one of them'
                    using errcode = 'program_limit_exceeded';
            end if;
            insert into event_types (id, name) overriding system value
            select pg_catalog.min(id), type_name from (
                select id::smallint from pg_catalog.generate_series(1, 32767) id except select id from event_types
            ) free
            on conflict do nothing returning id into found_id;
        end;
        exit when found;
        if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
            raise exception 'event type % was created by a concurrent transaction', pg_catalog.quote_literal(type_name)
                using errcode = 'serialization_failure';
        end if;
    end loop;
    return found_id;
end
$$;

create or replace function refuse_event(event int, field text, reason text) returns void
language plpgsql volatile as $$
begin
    raise exception 'event %: %: %', event, field, reason
        using errcode = 'RC002', detail = pg_catalog.jsonb_build_object('event', event, 'field', field, 'reason', reason)::text;
end
$$;

create or replace function frame_number(frame bytea, inout place int, out number bigint)
language plpgsql immutable strict parallel safe as $$
declare
    byte int;
begin
    number := 0;
    for shift in 0 .. 28 by 7 loop
        exit when place >= pg_catalog.length(frame);
        byte := pg_catalog.get_byte(frame, place);
        place := place + 1;
        number := number | ((byte & 127)::bigint << shift);
        if byte < 128 and (byte > 0 or shift = 0) then
            return;
        end if;
        exit when byte < 128;
    end loop;
    raise exception 'a number in a frame''s header is cut off or longer than it need be' using errcode = 'RC002';
end
$$;

create or replace function open_payload(frame bytea, out data jsonb, out metadata jsonb)
language plpgsql immutable strict parallel safe as $$
declare
    flags            int;
    place            int := 2;
    data_length      bigint;
    metadata_length  bigint;
    checksum         bytea;
    places           bigint;
    number           bigint;
    body             bytea;
begin
    if pg_catalog.length(frame) < 8 or pg_catalog.get_byte(frame, 0) not in (16, 18, 24, 26) or pg_catalog.get_byte(frame,
        1) <> 0 then
        raise exception 'a frame is not one of a payload that was stored as it is' using errcode = 'RC002';
    end if;
    flags := pg_catalog.get_byte(frame, 0) & 15;
    select read.place, read.number into place, data_length from frame_number(frame, place) read;
    select read.place, read.number into place, metadata_length from frame_number(frame, place) read;
    checksum := pg_catalog.substr(frame, place + 1, 4);
    place := place + 4;
    if flags & 8 <> 0 then
        -- The key, how many places, the places, the length of what is sealed.
        select read.place into place from frame_number(frame, place) read;
        select read.place, read.number into place, places from frame_number(frame, place) read;
        for following in 0 .. places loop
            select read.place, read.number into place, number from frame_number(frame, place) read;
        end loop;
        place := least(place + number, pg_catalog.length(frame));
    end if;
    body := pg_catalog.substr(frame, place + 1);
    if pg_catalog.length(body) <> data_length + metadata_length then
        raise exception 'a frame is not as long as it says' using errcode = 'RC002';
    elsif flags & 2 <> 0 and checksum <> pg_catalog.substr(pg_catalog.sha256(int4_little_endian(data_length::int) || body), 1,
        4) then
        raise exception 'the checksum of a frame is not that of its bytes' using errcode = 'RC002';
    end if;
    data := pg_catalog.convert_from(pg_catalog.substr(body, 1, data_length::int), 'UTF8')::jsonb;
    metadata := case when metadata_length = 0 then '{}' else pg_catalog.convert_from(pg_catalog.substr(body,
        data_length::int + 1), 'UTF8')::jsonb end;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'append_own_events(jsonb)', 'append_own_frames(uuid[], text[], bytea[])', 'event_type_id(text)'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;
