-- What runs with its owner's rights calls the server's functions by their full names, and compares like with like. A projector may
-- make functions and operators in this schema, and one that fits a call more exactly is taken before the server's own: with
-- recorder.date_trunc(text, date) a projector became the owner of the log. The bodies are as they were otherwise; a test looks at
-- what they call, and tries to be called in its place.

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

create or replace function append_events(
    events jsonb
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile as $$
declare
    unknown record;
begin
    select place, field into unknown
    from pg_catalog.jsonb_array_elements(case pg_catalog.jsonb_typeof(events) when 'array' then events else '[]' end)
        with ordinality e(event, place)
    cross join lateral pg_catalog.jsonb_object_keys(case pg_catalog.jsonb_typeof(event) when 'object'
        then event else '{}' end) field
    where field <> all (array['stream', 'id', 'type', 'occurredAt', 'data', 'metadata', 'expectedVersion'])
    order by place
    limit 1;
    if found then
        perform refuse_event(unknown.place::int, unknown.field, case
            when unknown.field = any (array['version', 'position', 'recordedAt']) then 'is set by the recorder, and not appended'
            else 'is not a field of an event' end);
    end if;
    return query select a.* from append_known_fields(events) a;
end
$$;

create or replace function append_known_fields(
    events jsonb
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    item        jsonb;
    n           int := 0;
    streams     uuid[] := '{}';
    expected    int[] := '{}';
    ids         uuid[] := '{}';
    types       text[] := '{}';
    occurred    timestamptz[] := '{}';
    payloads    bytea[] := '{}';
    mistake     record;
begin
    if pg_catalog.jsonb_typeof(events) is distinct from 'array' then
        perform refuse_event(0, 'events', 'is not an array');
    end if;

    for item in select value from pg_catalog.jsonb_array_elements(events) with ordinality e(value, place) order by place loop
        n := n + 1;
        if pg_catalog.jsonb_typeof(item) <> 'object' then
            perform refuse_event(n, 'event', 'is not a JSON object');
        elsif item -> 'stream'::text is null then
            perform refuse_event(n, 'stream', 'is missing');
        end if;
        streams[n] := checked_uuid(n, 'stream', item);
        expected[n] := checked_expected_version(n, item);
        ids[n] := checked_uuid(n, 'id', item);
        types[n] := checked_type(n, checked_text(n, 'type', item));
        occurred[n] := coalesce(checked_time(n, 'occurredAt', item), pg_catalog.clock_timestamp());
        payloads[n] := identity_frame(checked_object(n, 'data', item -> 'data'::text),
                                      checked_object(n, 'metadata', item -> 'metadata'::text));
    end loop;

    select later.place into mistake
    from (
        select place, id, pg_catalog.lag(place) over same as earlier
        from unnest(streams, ids) with ordinality u(stream, id, place)
        where id is not null
        window same as (partition by stream, id order by place)
    ) later
    where later.earlier is not null order by place limit 1;
    if found then
        perform refuse_event(mistake.place::int, 'id', 'occurs twice in this append to the stream');
    end if;

    -- Absent says nothing; another value than the first event's contradicts it.
    select later.place into mistake
    from (
        select place, u.expected as own, pg_catalog.first_value(u.expected) over (partition by u.stream order by place) as first
        from unnest(streams, expected) with ordinality u(stream, expected, place)
    ) later
    where own is distinct from first and events -> (place - 1)::int ? 'expectedVersion'::text order by place limit 1;
    if found then
        perform refuse_event(mistake.place::int, 'expectedVersion',
                             'differs from that of the stream''s first event in this append');
    end if;

    return query select a.* from append_checked(streams, expected, ids, types, occurred, payloads) a;
end
$$;

create or replace function append_checked(
    streams uuid[], expected int[], ids uuid[], types text[], occurred timestamptz[], payloads bytea[]
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile as $$
begin
    perform refuse_personal_fields(types, payloads);
    return query select a.* from append_rows(streams, expected, ids, types, occurred, payloads) a;
    if 'session.started' = any (types) then
        perform note_subjects(pg_catalog.array_agg(u.stream order by n),
            pg_catalog.array_agg(identity_frame_data(u.payload) ->> 'userId'::text order by n))
        from unnest(streams, types, payloads) with ordinality u(stream, type, payload, n)
        where u.type = 'session.started';
    end if;
end
$$;

create or replace function append_rows(
    streams uuid[], expected int[], ids uuid[], types text[], occurred timestamptz[], payloads bytea[]
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    single      record;
    head        int;
    old_ids     uuid[];
    old         int[];
    type_ids    smallint[];
    new_ids     uuid[] := array(select coalesce(id, uuid_v7(pg_catalog.clock_timestamp())) from pg_catalog.unnest(ids)
        with ordinality u(id, n) order by n);
    versions    int[];
    is_new      boolean[];
    stored_stream   uuid;
    stored_expected int;
    stored_head     int;
    place       int;
begin
    -- In the order of their names: two calls that bring the same new types do not wait for each other in a ring.
    with names as materialized (
        select name, event_type_id(name) as id from (select distinct name from pg_catalog.unnest(types) name order by 1) sorted
    )
    select pg_catalog.array_agg(names.id order by n) into type_ids
    from pg_catalog.unnest(types) with ordinality u(name, n) join names using (name);

    loop
        versions := pg_catalog.array_fill(null::int, array[pg_catalog.cardinality(streams)]);
        is_new := pg_catalog.array_fill(true, array[pg_catalog.cardinality(streams)]);

        for single in
            select u.stream, (pg_catalog.array_agg(u.expected order by n))[1] as expected, pg_catalog.array_agg(u.id
                order by n) as ids,
                   pg_catalog.array_agg(n order by n) as places, pg_catalog.bool_or(u.given is not null) as may_be_retry
            from unnest(streams, expected, new_ids, ids) with ordinality u(stream, expected, id, given, n)
            group by u.stream
        loop
            select coalesce(pg_catalog.max(e.version), 0) into head from events e where e.stream_id = single.stream;

            if head > 0 and single.may_be_retry then
                select pg_catalog.array_agg(e.event_id order by e.version), pg_catalog.array_agg(e.version order by e.version)
                into old_ids, old
                from events e where e.stream_id = single.stream and e.event_id = any (single.ids);

                if old_ids operator(pg_catalog.=) single.ids
                    and old[pg_catalog.cardinality(old)] - old[1] = pg_catalog.cardinality(old) - 1 then
                    -- The same append again: it succeeded the first time, whatever it expects now.
                    for i in 1 .. pg_catalog.cardinality(single.places) loop
                        versions[single.places[i]] := old[i];
                        is_new[single.places[i]] := false;
                    end loop;
                    stored_stream := single.stream;
                    stored_expected := single.expected;
                    stored_head := head;
                    continue;
                elsif pg_catalog.cardinality(old_ids) < pg_catalog.cardinality(single.ids) then
                    perform refuse_version(single.stream, single.expected, head, pg_catalog.format(
                        '%s of the %s event ids of this append are already in the stream, the others are not',
                        pg_catalog.cardinality(old_ids), pg_catalog.cardinality(single.ids)));
                elsif old_ids is not null then
                    perform refuse_version(single.stream, single.expected, head,
                        'the event ids of this append are in the stream, but in another order or not consecutive');
                end if;
            end if;

            if single.expected = -1 and head = 0 then
                perform refuse_version(single.stream, -1, head, 'the stream is empty');
            elsif single.expected >= 0 and head <> single.expected then
                perform refuse_version(single.stream, single.expected, head, 'another append came first');
            end if;

            for i in 1 .. pg_catalog.cardinality(single.places) loop
                versions[single.places[i]] := head + i;
            end loop;
        end loop;

        -- All or nothing: an append that is repeated is repeated with all its streams.
        if false = any (is_new) and true = any (is_new) then
            perform refuse_version(stored_stream, stored_expected, stored_head,
                'the event ids of this append are already in this stream, but not in its other streams');
        end if;

        begin
            -- By stream: two calls over the same streams meet at the first of them, not in a ring. By
            -- version: positions, drawn here row by row, follow versions.
            insert into events (occurred_at, version, type, encoding, stream_id, event_id, payload)
            select u.occurred_at, u.version, u.type, 0, u.stream, u.id, u.payload
            from unnest(occurred, versions, type_ids, streams, new_ids, payloads, is_new)
                as u(occurred_at, version, type, stream, id, payload, is_new)
            where u.is_new
            order by u.stream, u.version;
            exit;
        exception
            when unique_violation then
                -- Somebody else got the version. What they stored is visible to a new statement only in READ
                -- COMMITTED; there, look again and decide anew: retry, error, or the next version.
                if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
                    raise exception 'a concurrent transaction appended to the same stream'
                        using errcode = 'serialization_failure', hint = 'Run the transaction again.';
                end if;
        end;
    end loop;

    return query
        select e.stream_id, e.event_id, e.version, e.position
        from unnest(streams, versions) with ordinality u(stream, version, n)
        join events e on e.stream_id = u.stream and e.version = u.version
        order by u.n;
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

create or replace function checked_expected_version(event int, object jsonb) returns int
language plpgsql volatile as $$
declare
    value jsonb := object -> 'expectedVersion'::text;
begin
    if value is null or value = '"any"' then
        return null;
    elsif value = '"none"' then
        return 0;
    elsif value = '"exists"' then
        return -1;
    elsif pg_catalog.jsonb_typeof(value) = 'number' then
        if value::numeric >= 0.0 and value::numeric <= 9223372036854775807.0
            and value::numeric = pg_catalog.trunc(value::numeric) then
            return least(value::numeric, 2147483647);
        end if;
    end if;
    perform refuse_event(event, 'expectedVersion', 'is not "any", "none", "exists" or a number of events');
    return null;
end
$$;

create or replace function checked_object(event int, field text, object jsonb) returns jsonb
language plpgsql volatile as $$
begin
    if object is null then
        return '{}';
    elsif pg_catalog.jsonb_typeof(object) <> 'object' then
        perform refuse_event(event, field, 'is not a JSON object');
    elsif pg_catalog.octet_length(object::text) > 1048576 then
        perform refuse_event(event, field, 'is larger than 1 MiB');
    elsif pg_catalog.jsonb_path_exists(object, 'strict $.**{64 to last} ? (@.type() == "object" || @.type() == "array")') then
        perform refuse_event(event, field, 'is nested deeper than 64');
    elsif pg_catalog.jsonb_path_exists(object, 'strict $.** ? (@.type() == "number"'
                            ' && (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308))') then
        perform refuse_event(event, field, 'holds a number that is not finite');
    end if;
    return object;
end
$$;

create or replace function checked_text(event int, field text, object jsonb) returns text
language plpgsql volatile as $$
begin
    if object -> field is null then
        return null;
    elsif pg_catalog.jsonb_typeof(object -> field) <> 'string' then
        perform refuse_event(event, field, 'is not a string');
    end if;
    return object ->> field;
end
$$;

create or replace function checked_time(event int, field text, object jsonb) returns timestamptz
language plpgsql volatile as $$
declare
    value   text := checked_text(event, field, object);
    is_leap boolean := pg_catalog.substr(value, 18, 2) = '60';
    moment  timestamptz;
begin
    if value !~* '^[0-9]{4}-[0-9]{2}-[0-9]{2}[t ]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(z|[+-][0-9]{2}:[0-9]{2})$' then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    if is_leap then
        value := overlay(value placing '59' from 18);
    end if;
    moment := pg_catalog.regexp_replace(value, '(?<=[.][0-9]{6})[0-9]+', '')::timestamptz + case when is_leap
        then interval '1 second' else interval '0' end;
    if is_leap and pg_catalog.to_char(moment at time zone 'UTC', 'MM-DD HH24:MI:SS') <> all (array['01-01 00:00:00',
        '07-01 00:00:00']) then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    return checked_year(event, moment);
exception
    when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
        return null;
end
$$;

create or replace function checked_type(event int, type text) returns text
language plpgsql volatile as $$
begin
    if type is null then
        perform refuse_event(event, 'type', 'is missing');
    elsif type = '' then
        perform refuse_event(event, 'type', 'is empty');
    elsif pg_catalog.octet_length(type) > 128 then
        perform refuse_event(event, 'type', 'is longer than 128 bytes');
    end if;
    return type;
end
$$;

create or replace function checked_uuid(event int, field text, object jsonb) returns uuid
language plpgsql volatile as $$
declare
    value text := checked_text(event, field, object);
begin
    if value !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
        perform refuse_event(event, field, 'is not a UUID');
    end if;
    return value::uuid;
end
$$;

create or replace function checked_year(event int, value timestamptz) returns timestamptz
language plpgsql volatile as $$
begin
    -- The year 0 is 1 BC.
    if value < '0001-01-01 00:00:00+00 BC' or value >= '10000-01-01 00:00:00+00' then
        perform refuse_event(event, 'occurredAt', 'is not in the years 0 to 9999, in UTC');
    end if;
    return value;
end
$$;

create or replace function identity_frame(data jsonb, metadata jsonb) returns bytea
language plpgsql immutable parallel safe as $$
declare
    body_data     bytea := pg_catalog.convert_to(data::text, 'UTF8');
    body_metadata bytea := case when metadata = '{}' then '' else pg_catalog.convert_to(metadata::text, 'UTF8') end;
begin
    return pg_catalog.decode('1200', 'hex') || varint(pg_catalog.length(body_data)) || varint(pg_catalog.length(body_metadata))
        || pg_catalog.substr(pg_catalog.sha256(int4_little_endian(pg_catalog.length(body_data)) || body_data || body_metadata),
            1, 4)
        || body_data || body_metadata;
end
$$;

create or replace function identity_frame_data(frame bytea) returns jsonb
language plpgsql immutable strict parallel safe as $$
declare
    place  int := 2;
    shift  int := 0;
    length int := 0;
    byte   int;
begin
    loop
        byte := pg_catalog.get_byte(frame, place);
        length := length | ((byte & 127) << shift);
        place := place + 1;
        shift := shift + 7;
        exit when byte < 128;
    end loop;
    loop
        byte := pg_catalog.get_byte(frame, place);
        place := place + 1;
        exit when byte < 128;
    end loop;
    return pg_catalog.convert_from(pg_catalog.substr(frame, place + 5, length), 'UTF8')::jsonb;
end
$$;

create or replace function int4_little_endian(number int) returns bytea
language sql immutable strict parallel safe as $$
    select pg_catalog.decode(pg_catalog.lpad(pg_catalog.to_hex(number & 255), 2, '0')
        || pg_catalog.lpad(pg_catalog.to_hex(number >> 8 & 255), 2, '0')
                  || pg_catalog.lpad(pg_catalog.to_hex(number >> 16 & 255), 2, '0')
                      || pg_catalog.lpad(pg_catalog.to_hex(number >> 24 & 255), 2, '0'), 'hex')
$$;

create or replace function varint(number int) returns bytea
language sql immutable strict parallel safe as $$
    select pg_catalog.decode(case
        when number < 128 then pg_catalog.lpad(pg_catalog.to_hex(number), 2, '0')
        when number < 16384 then pg_catalog.to_hex(number & 127 | 128) || pg_catalog.lpad(pg_catalog.to_hex(number >> 7), 2, '0')
        when number < 2097152 then
            pg_catalog.to_hex(number & 127 | 128) || pg_catalog.to_hex(number >> 7 & 127 | 128)
                || pg_catalog.lpad(pg_catalog.to_hex(number >> 14), 2, '0')
        else
            pg_catalog.to_hex(number & 127 | 128) || pg_catalog.to_hex(number >> 7 & 127 | 128)
                || pg_catalog.to_hex(number >> 14 & 127 | 128)
            || pg_catalog.lpad(pg_catalog.to_hex(number >> 21), 2, '0')
    end, 'hex')
$$;

create or replace function uuid_v7(moment timestamptz default clock_timestamp()) returns uuid
language sql volatile parallel safe as $$
    select (pg_catalog.lpad(pg_catalog.to_hex(pg_catalog.floor(extract(epoch from moment) * 1000.0)::bigint), 12, '0')
            || '-7' || pg_catalog.substr(pg_catalog.gen_random_uuid()::text, 16))::uuid
$$;

create or replace function refuse_event(event int, field text, reason text) returns void
language plpgsql volatile as $$
begin
    raise exception 'event %: %: %', event, field, reason
        using errcode = 'RC002', detail = pg_catalog.jsonb_build_object('event', event, 'field', field, 'reason', reason)::text;
end
$$;

create or replace function refuse_version(stream uuid, expected int, found_version int, reason text) returns void
language plpgsql volatile as $$
declare
    expected_word text := case expected when -1 then 'exists' when 0 then 'none'
                          else coalesce(expected::text, 'any') end;
begin
    raise exception 'wrong expected version of stream %: expected %, found %: %',
        stream, expected_word, found_version, reason
        using errcode = 'RC001',
              detail = pg_catalog.jsonb_build_object('stream', stream, 'expected', expected_word, 'found', found_version,
                                          'reason', reason)::text;
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

create or replace function sealed_key(frame bytea) returns bigint
language plpgsql immutable strict parallel safe as $$
declare
    place  int := 1;
    shift  int := 0;
    byte   int;
    key    bigint := 0;
begin
    if pg_catalog.get_byte(frame, 0) & 8 = 0 then
        return null;
    end if;
    for number in 1 .. 3 loop  -- dictionary and the two lengths
        loop
            byte := pg_catalog.get_byte(frame, place);
            place := place + 1;
            exit when byte < 128;
        end loop;
    end loop;
    place := place + 4;  -- the checksum
    loop
        byte := pg_catalog.get_byte(frame, place);
        key := key | ((byte & 127)::bigint << shift);
        place := place + 1;
        shift := shift + 7;
        exit when byte < 128;
    end loop;
    return key;
end
$$;

create or replace function cache_table_figures(

) returns table (kind text, rows bigint, expired bigint, hits bigint, bytes bigint, oldest timestamptz, newest timestamptz)
language plpgsql stable security definer as $$
begin
    foreach kind in array cache_kinds() loop
        return query execute pg_catalog.format(
            'select $1, pg_catalog.count(*), pg_catalog.count(*) filter (where expires_at <= pg_catalog.now()),'
            ' least(coalesce(pg_catalog.sum(hit_count), 0), 9223372036854775807)::bigint,'
            ' pg_catalog.pg_total_relation_size(%1$L), pg_catalog.min(created_at), pg_catalog.max(created_at) from %1$I',
            kind || '_cache') using kind;
    end loop;
end
$$;

create or replace function count_cache_hits(kind text, users uuid[], keys bytea[], hits bigint[]) returns void
language plpgsql volatile security definer as $$
begin
    -- Else a caller's temporary table might be what is updated, with this function's owner's rights.
    if (kind = any (cache_kinds())) is not true then
        raise exception 'there is no cache of kind %', pg_catalog.quote_literal(kind) using errcode = 'invalid_parameter_value';
    end if;

    execute pg_catalog.format(
        'with hit as ('
        '    select c.ctid as place, least(u.hits, 1000000) as hits'
        '    from unnest($1, $2, $3) as u(user_id, key, hits) join %1$I c using (%2$s)'
        '    where u.hits > 0%3$s'
        '    for update of c skip locked'
        ') update %1$I c set hit_count = least(c.hit_count, 9000000000000000000) + hit.hits from hit where c.ctid = hit.place',
        kind || '_cache', case kind when 'embedding' then 'key' else 'user_id, key' end,
        case kind when 'embedding' then '' else ' and user_id = (select acting_user())' end
    ) using users, keys, hits;
end
$$;

create or replace function clear_cache(
    kind text default null, "user" uuid default null
) returns table (cleared text, rows bigint)
language plpgsql volatile as $$
begin
    if kind <> all (cache_kinds()) then
        raise exception 'there is no cache of kind %', pg_catalog.quote_literal(kind)
            using errcode = 'invalid_parameter_value', hint = 'Take embedding, vector_search or llm_response.';
    elsif kind = 'embedding' and "user" is not null then
        raise exception 'embeddings belong to no user'
            using errcode = 'invalid_parameter_value', hint = 'Clear all embeddings, or another kind.';
    end if;

    -- First the generations, which lock: who comes behind waits here. Always in the same order.
    insert into cache_generations as g (kind, user_id, generation, changed_at)
    select k, coalesce("user", '00000000-0000-0000-0000-000000000000'), pg_catalog.nextval('cache_generation'),
        pg_catalog.clock_timestamp()
    from pg_catalog.unnest(cache_kinds()) as k
    where k = coalesce(clear_cache.kind, k) and not (k = 'embedding' and "user" is not null)
    order by k
    on conflict on constraint cache_generations_pkey do update
    set generation = pg_catalog.nextval('cache_generation'), changed_at = excluded.changed_at;

    foreach cleared in array cache_kinds() loop
        continue when cleared <> coalesce(kind, cleared) or (cleared = 'embedding' and "user" is not null);
        execute pg_catalog.format('delete from %I', cleared || '_cache') || case when "user" is null
            then '' else ' where user_id = $1' end
            using "user";
        get diagnostics "rows" = row_count;
        return next;
    end loop;

    perform pg_catalog.pg_notify(pg_catalog.current_schema()::text || '_cache', coalesce(kind, '*') || ' '
        || coalesce("user"::text, '*'));
end
$$;

create or replace function drop_search_results() returns trigger
language plpgsql volatile security definer as $$
declare
    changed uuid;
begin
    if tg_op = 'TRUNCATE' then
        perform clear_cache('vector_search', null::uuid);
    elsif tg_op = 'INSERT' then
        for changed in select distinct user_id from new_documents order by 1 loop
            perform clear_cache('vector_search', changed);
        end loop;
    elsif tg_op = 'DELETE' then
        for changed in select distinct user_id from old_documents order by 1 loop
            perform clear_cache('vector_search', changed);
        end loop;
    else
        for changed in select user_id from old_documents union select user_id from new_documents order by 1 loop
            perform clear_cache('vector_search', changed);
        end loop;
    end if;
    return null;
end
$$;

create or replace function sweep_caches(batch int default 1000) returns table (swept text, rows bigint)
language plpgsql volatile security definer as $$
begin
    foreach swept in array cache_kinds() loop
        execute pg_catalog.format('delete from %1$I where ctid = any (array('
                       ' select ctid from %1$I where expires_at <= pg_catalog.now() order by expires_at limit $1 for update skip locked))',
                       swept || '_cache') using batch;
        get diagnostics "rows" = row_count;
        return next;
    end loop;

    -- The current generation of a user's values of one kind must not go down while one of them is there: a stale one
    -- would become current again, and one that was current could be neither found nor replaced. Nobody computes a value
    -- for a day.
    foreach swept in array cache_kinds() loop
        execute pg_catalog.format('delete from cache_generations where ctid = any (array('
                       ' select g.ctid from cache_generations g'
                       ' where g.kind = $1 and g.changed_at < pg_catalog.now() - interval ''1 day'' and %2$s'
                       ' and (g.user_id <> ''00000000-0000-0000-0000-000000000000'' or not exists (select from %1$I))'
                       ' limit $2 for update skip locked))',
                       swept || '_cache',
                       case swept when 'embedding' then 'true'
                           else pg_catalog.format('not exists (select from %I c where c.user_id = g.user_id)', swept
                               || '_cache') end)
            using swept, batch;
    end loop;

    delete from cache_statistics s where s.reported_at < pg_catalog.now() - interval '1 day';
end
$$;

create or replace function sweep_rate_limits(batch int default 1000) returns bigint
language plpgsql volatile security definer as $$
declare
    swept bigint;
begin
    delete from rate_limits where ctid = any (array(
        select b.ctid from rate_limits b where b.full_at < pg_catalog.now() - interval '1 hour' limit batch for update skip locked));
    get diagnostics swept = row_count;
    return swept;
end
$$;

create or replace function take_token(
    endpoint text, capacity double precision, refill_per_second double precision, cost double precision default 1,
    "window" interval default '1 minute', out allowed boolean, out remaining double precision, out retry_after interval,
    out window_started_at timestamptz, out window_count bigint
)
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
    acting constant uuid        := acting_user();
    moment constant timestamptz := pg_catalog.clock_timestamp();
begin
    if acting is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif (pg_catalog.octet_length(take_token.endpoint) between 1 and 200) is not true then
        raise exception 'an endpoint has a name of 1 to 200 bytes' using errcode = 'invalid_parameter_value';
    elsif (take_token.capacity > float8 '0' and take_token.capacity <= float8 '1e12'
           and take_token.refill_per_second between float8 '1e-12' and float8 '1e12') is not true then
        raise exception 'a limit needs a capacity and a refill above 0, both at most 1e12, and a refill of at least 1e-12 a second'
            using errcode = 'invalid_parameter_value';
    elsif not coalesce(take_token.cost > float8 '0' and take_token.cost <= take_token.capacity, false) then
        raise exception 'a request takes more than 0 tokens and at most the capacity of its bucket'
            using errcode = 'invalid_parameter_value', hint = 'A larger one would never be let through.';
    elsif (take_token."window" > interval '0' and take_token."window" <= interval '100 years') is not true then
        raise exception 'a window is longer than nothing and not longer than 100 years' using errcode = 'invalid_parameter_value';
    end if;

    insert into rate_limits as bucket (
        user_id, endpoint, tokens, capacity, refill_per_second, taken_at, full_at,
        window_started_at, window_count, window_refused, allowed)
    values (
        acting, take_token.endpoint, take_token.capacity - take_token.cost, take_token.capacity,
        take_token.refill_per_second, moment,
        moment + pg_catalog.make_interval(secs => least(take_token.capacity / take_token.refill_per_second, 1e9)),
        moment, 1, 0, true)
    on conflict (user_id, endpoint) do update set
        tokens = bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
            - case when bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
                        >= take_token.cost then take_token.cost else 0 end,
        capacity = excluded.capacity,
        refill_per_second = excluded.refill_per_second,
        taken_at = greatest(moment, bucket.taken_at),
        full_at = greatest(excluded.full_at, bucket.full_at),
        window_started_at = case when moment >= bucket.window_started_at + take_token."window" then moment
                                 else bucket.window_started_at end,
        window_count = case when moment >= bucket.window_started_at + take_token."window" then 0
                            else bucket.window_count end
            + (bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
               >= take_token.cost)::int,
        window_refused = case when moment >= bucket.window_started_at + take_token."window" then 0
                              else bucket.window_refused end
            + (bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
               < take_token.cost)::int,
        allowed = bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
            >= take_token.cost
    returning bucket.allowed, bucket.tokens,
        case when bucket.allowed then interval '0'
             -- No token flows in before the clock is where the bucket has seen it; the longest wait is about 30 years.
             else pg_catalog.make_interval(secs => least((take_token.cost - bucket.tokens) / bucket.refill_per_second, 1e9))
                  + greatest(bucket.taken_at - moment, interval '0') end,
        bucket.window_started_at, bucket.window_count
    into take_token.allowed, take_token.remaining, take_token.retry_after, take_token.window_started_at,
        take_token.window_count;
end
$$;

create or replace function create_events_partitions(since date, until date) returns setof text
language plpgsql volatile security definer as $$
declare
    partition text;
begin
    for partition in select * from make_events_partitions(since, until) loop
        execute pg_catalog.format('alter table %I enable row level security', partition);
        return next partition;
    end loop;
end
$$;

create or replace function create_time_partitions(since date, until date) returns setof text
language plpgsql volatile security definer as $$
declare
    listed     record;
    period     date;
    next       date;
    partition  text;
    in_default boolean;
begin
    for listed in select parent, step from time_partitions where pg_catalog.to_regclass(parent) is not null order by parent loop
        period := pg_catalog.date_trunc(listed.step, since);
        while period <= until loop
            next := period + ('1 ' || listed.step)::interval;
            partition := listed.parent
                || pg_catalog.to_char(period, case listed.step when 'month' then '"_"YYYY_MM' else '"_"YYYY' end);
            if pg_catalog.to_regclass(partition) is null then
                execute pg_catalog.format('lock table %I in share update exclusive mode', listed.parent);
                execute pg_catalog.format('select exists (select from %I where bucket_start >= %L and bucket_start < %L)',
                               listed.parent || '_default', period::text || ' UTC', next::text || ' UTC') into in_default;
                if pg_catalog.to_regclass(partition) is null and not in_default then
                    execute pg_catalog.format('create table %I (like %I including defaults including storage)',
                                   partition, listed.parent);
                    execute pg_catalog.format('alter table %I owner to recorder_projector', partition);
                    execute pg_catalog.format('alter table %I attach partition %I for values from (%L) to (%L)',
                                   listed.parent, partition, period::text || ' UTC', next::text || ' UTC');
                    return next partition;
                end if;
            end if;
            period := next;
        end loop;
    end loop;
end
$$;

create or replace function make_events_partitions(since date, until date) returns setof text
language plpgsql volatile security definer as $$
declare
    most_strays constant int := 8;
    month     date := pg_catalog.date_trunc('month', since);
    name      text;
    partition text;
    first_ms  bigint;
    end_ms    bigint;
    strays    bigint[];
    lowers    bigint[];
    uppers    bigint[];
begin
    while month <= until loop
        name := pg_catalog.to_char(month, '"events_"YYYY_MM');
        first_ms := extract(epoch from month::timestamp at time zone 'UTC') * 1000.0;
        month := month + interval '1 month';
        end_ms := extract(epoch from month::timestamp at time zone 'UTC') * 1000.0;
        continue when pg_catalog.to_regclass(name) is not null;

        -- Conflicts with itself only: appends go on while partitions are made.
        lock table events in share update exclusive mode;
        continue when pg_catalog.to_regclass(name) is not null;
        strays := array(
            select distinct uuid_milliseconds(stream_id) from events_default
            where stream_id >= uuid_from_milliseconds(first_ms) and stream_id < uuid_from_milliseconds(end_ms)
            limit most_strays + 1
        );
        if pg_catalog.cardinality(strays) > most_strays then
            raise warning 'streams of % lie in events_default: the month gets no partition', pg_catalog.to_char(month - 1,
                'YYYY-MM');
            continue;
        end if;

        select pg_catalog.array_agg(lower order by lower), pg_catalog.array_agg(upper order by lower) into lowers, uppers
        from (
            select pg_catalog.lag(stray + 1, 1, first_ms) over (order by stray) as lower, stray as upper
            from pg_catalog.unnest(pg_catalog.array_append(strays, end_ms)) stray
        ) between_strays
        where lower < upper;
        -- Who attaches reads all of the default partition while nobody else may, unless it is known that nothing of the new
        -- one's lies there: several parts need one look at it and not one each.
        if pg_catalog.cardinality(lowers) > 1 then
            execute 'alter table events_default add constraint elsewhere check (' || (
                select pg_catalog.string_agg(pg_catalog.format('(stream_id < %L or stream_id >= %L)',
                                         uuid_from_milliseconds(lower), uuid_from_milliseconds(upper)), ' and ')
                from unnest(lowers, uppers) part(lower, upper)
            ) || ')';
        end if;

        for part in 1 .. pg_catalog.cardinality(lowers) loop
            partition := name || case when part > 1 then '_' || part::text else '' end;
            -- Made aside and attached: CREATE … PARTITION OF would lock out readers and writers of the whole log.
            execute pg_catalog.format('create table %I (like events including defaults including constraints including storage)', partition);
            execute pg_catalog.format('alter table events attach partition %I for values from (%L) to (%L)', partition,
                           uuid_from_milliseconds(lowers[part]), uuid_from_milliseconds(uppers[part]));
            execute pg_catalog.format('create trigger refuse_truncate before truncate on %I'
                           ' for each statement execute function refuse_change()', partition);
            execute pg_catalog.format('alter table %I enable always trigger refuse_change, enable always trigger refuse_truncate',
                           partition);
            return next partition;
        end loop;
        if pg_catalog.cardinality(lowers) > 1 then
            alter table events_default drop constraint elsewhere;
        end if;
    end loop;
end
$$;

create or replace function uuid_from_milliseconds(milliseconds bigint) returns uuid
language sql immutable strict parallel safe as $$
    select (pg_catalog.lpad(pg_catalog.to_hex(milliseconds), 12, '0') || '00000000000000000000')::uuid
$$;

create or replace function uuid_milliseconds(id uuid) returns bigint
language sql immutable strict parallel safe as $$
    select ('x' || pg_catalog.left(pg_catalog.replace(id::text, '-', ''), 12))::bit(48)::bigint
$$;

create or replace function summarize_events() returns bigint
language plpgsql volatile security definer as $$
declare
    summary    record;
    summarized bigint := 0;
begin
    if pg_catalog.pg_is_in_recovery() then
        return 0;
    end if;
    for summary in
        select indrelid::regclass as partition, indexrelid::regclass as index
        from pg_catalog.pg_partition_tree('events') join pg_index on indrelid = relid::oid
        join pg_class on pg_class.oid = indexrelid join pg_am on pg_am.oid = relam
        where isleaf and amname = 'brin'
    loop
        begin
            execute pg_catalog.format('lock table only %s in share update exclusive mode nowait', summary.partition);
            summarized := summarized + pg_catalog.brin_summarize_new_values(summary.index);
        exception when lock_not_available then
            null;
        end;
    end loop;
    return summarized;
end
$$;

create or replace function note_subjects(streams uuid[], subjects text[]) returns void
language plpgsql volatile security definer as $$
begin
    perform note_subjects(pg_catalog.array_agg(stream order by stream, place), pg_catalog.array_agg(subject::uuid
        order by stream, place))
    from unnest(streams, subjects) with ordinality as named(stream, subject, place)
    where subject ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
end
$$;

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

create or replace function refuse_held_change() returns trigger
language plpgsql volatile security definer as $$
declare
    subject uuid;
begin
    if tg_argv[0] = 'user' then subject := old.id; else subject := old.user_id; end if;
    -- A hold that has this row is waited for; one that comes later waits for us.
    perform from users where id = subject for key share;
    if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
        -- A hold that is younger than the transaction's snapshot is not to be seen, but is a conflict.
        insert into legal_holds (user_id, reason, held_by) values (subject, 'none', 'nobody') on conflict do nothing;
        if found then
            delete from legal_holds where user_id = subject;
        end if;
    end if;
    perform refuse_held(subject);
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end
$$;

create or replace function refuse_personal_fields(types text[], payloads bytea[]) returns void
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
    where pg_catalog.jsonb_typeof(case p.source when 'data' then json.data else json.metadata end -> p.field) <> 'null'
    order by u.place
    limit 1;
    if found then
        perform refuse_event(found_field.event, found_field.field,
            'is personal, and this log is sealed: append it with a key (the Swift appender, `recorder append`), or leave it out');
    end if;
end
$$;

create or replace function refuse_taken_stream() returns trigger
language plpgsql volatile security definer as $$
begin
    -- Row security refuses it without a word of what there is.
    if new.id <> acting_user() then
        return new;
    end if;
    insert into stream_subjects (stream_id, subject_id) values (new.id, new.id) on conflict do nothing;
    if not found or exists (
        select from events join event_types on event_types.id = events.type
        where events.stream_id = new.id
          and pg_catalog.split_part(name, '.', 1) <> all (array['user', 'voice_model', 'face_model', 'document', 'access'])
    ) then
        raise exception 'this id cannot be a user''s' using errcode = 'insufficient_privilege';
    end if;
    -- A user's own stream is his without a row here.
    delete from stream_subjects where stream_id = new.id;
    return new;
end
$$;

create or replace function refuse_unlogged_change() returns trigger
language plpgsql volatile security definer as $$
declare
    subject uuid;
begin
    if tg_argv[0] = 'user' then
        if tg_op = 'DELETE' then subject := old.id; else subject := new.id; end if;
    else
        if tg_op = 'DELETE' then subject := old.user_id; else subject := new.user_id; end if;
    end if;
    if not exists (
        select from events
        where stream_id = subject and transaction_id = pg_catalog.pg_current_xact_id()
          and type in (select id from event_types where pg_catalog.starts_with(name, tg_argv[0] || '.'))
    ) then
        raise exception 'a change of % that no event tells of is refused', tg_table_name
            using errcode = 'RC005',
                  hint = pg_catalog.format('Append %s.created, %1$s.updated, %1$s.deleted … to the user''s stream in the same'
                                ' transaction.', tg_argv[0]);
    end if;
    return null;
end
$$;

create or replace function refuse_away_from_home() returns trigger
language plpgsql volatile as $$
declare
    seen text;
begin
    select pg_catalog.string_agg(detail, '; ') into seen from restored_log_evidence();
    if seen is not null then
        raise exception 'the log was restored from another cluster: %', seen
            using errcode = 'RC004', hint = 'Run recorder repair restored-log; nothing can be appended before.';
    end if;
    perform pg_catalog.set_config('recorder.log_home', tg_relid::text, false);
    return null;
end
$$;

create or replace function restored_log_evidence() returns table (code text, detail text)
language sql stable as $$
    with marks as materialized (select * from restored_log_marks()),
    away as (
        select pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) as running
        where exists (select from marks where code = 'system')
    )
    select * from marks
    union all
    select 'transaction', pg_catalog.format('it holds transaction %s, and from %s on they may run here', newest.transaction_id,
        running)
    from away cross join lateral (
        select transaction_id from events
        where transaction_id >= running and transaction_id is distinct from pg_catalog.pg_current_xact_id_if_assigned()
        order by transaction_id desc limit 1
    ) newest
    where not exists (select from marks where code = 'transaction')
    union all
    select 'checkpoint', pg_catalog.format('a checkpoint of %s has seen transactions from %s on, which may run here',
        pg_catalog.min(projection), running)
    from away join projection_checkpoints on pg_catalog.pg_snapshot_xmax(coalesce(new_snapshot, old_snapshot)) > running
    where not exists (select from marks where code = 'checkpoint')
    group by running
$$;

create or replace function restored_log_marks() returns table (code text, detail text)
language sql stable as $$
    select 'system', pg_catalog.format('it was written in the cluster %s, and this is %s', home.system_identifier,
        here.system_identifier)
    from log_home home, pg_catalog.pg_control_system() here
    where home.system_identifier <> here.system_identifier
    union all
    select 'transaction', pg_catalog.format('it holds transaction %s, and this cluster is only at %s', newest.transaction_id,
                                 pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()))
    from (
        select transaction_id from events where transaction_id >= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
            and transaction_id is distinct from pg_catalog.pg_current_xact_id_if_assigned()
        order by transaction_id desc limit 1
    ) newest
    union all
    select 'checkpoint', pg_catalog.format('a checkpoint of %s stands at transaction %s, and this cluster is only at %s',
                                pg_catalog.min(projection), pg_catalog.max(pg_catalog.pg_snapshot_xmax(coalesce(new_snapshot,
                                    old_snapshot))::text::numeric),
                                pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()))
    from projection_checkpoints
    where pg_catalog.pg_snapshot_xmax(coalesce(new_snapshot, old_snapshot)) > pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
    having pg_catalog.count(*) > 0
    union all
    select 'sequence', pg_catalog.format('its last event stands at position %s, and the next one would get %s', newest.position,
                              sequence.last_value + sequence.is_called::int)
    from (
        select pg_catalog.max(position) as position from events
        where transaction_id = (select transaction_id from events order by transaction_id desc limit 1)
    ) newest, events_position sequence
    where newest.position >= sequence.last_value + sequence.is_called::int
$$;

create or replace function search_documents(
    query text, page int, after_rank double precision default null, after_id uuid default null
) returns table (id uuid, filename text, rank real, snippet text)
language plpgsql stable security definer as $$
#variable_conflict use_column
declare
    words  tsquery;
    marks  constant text := 'MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter=" … ", StartSel=' || pg_catalog.chr(57344)
                            || ', StopSel=' || pg_catalog.chr(57345);
begin
    if pg_catalog.length(query) > 4096 then
        raise exception 'a search has % characters, and at most 4,096', pg_catalog.length(query)
            using errcode = 'string_data_right_truncation';
    end if;
    words := pg_catalog.websearch_to_tsquery('english', pg_catalog.regexp_replace(query, '-[-()!&|[:space:]]*-', '-', 'g'));
    return query
        select id, filename, rank,
               pg_catalog.ts_headline('english', pg_catalog.translate(text_content, pg_catalog.chr(57344)
                   || pg_catalog.chr(57345), ''), words, marks)
        from (
            select id, filename, text_content, rank
            from (
                select d.id, d.filename, d.text_content, pg_catalog.ts_rank_cd(d.text_search, words) as rank
                from knowledge_documents d
                where d.user_id = (select acting_user()) and d.deleted_at is null and d.text_search @@ words
            ) hit
            where after_rank is null or (rank, id) < (after_rank::real, after_id)
            order by rank desc, id desc
            limit least(greatest(page, 1), 1000)
        ) best
        order by rank desc, id desc;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'append_own_events(jsonb)', 'append_own_frames(uuid[], text[], bytea[])', 'append_events(jsonb)',
        'append_known_fields(jsonb)', 'append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[])',
        'append_rows(uuid[], int[], uuid[], text[], timestamptz[], bytea[])', 'event_type_id(text)',
        'cache_table_figures()', 'count_cache_hits(text, uuid[], bytea[], bigint[])', 'clear_cache(text, uuid)',
        'drop_search_results()', 'sweep_caches(int)', 'sweep_rate_limits(int)',
        'take_token(text, double precision, double precision, double precision, interval)',
        'create_events_partitions(date, date)', 'create_time_partitions(date, date)',
        'make_events_partitions(date, date)', 'summarize_events()', 'note_subjects(uuid[], text[])',
        'note_subjects(uuid[], uuid[])', 'refuse_held_change()', 'refuse_personal_fields(text[], bytea[])',
        'refuse_taken_stream()', 'refuse_unlogged_change()', 'refuse_away_from_home()', 'restored_log_evidence()',
        'restored_log_marks()', 'search_documents(text, int, double precision, uuid)'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;
alter function append_rows(uuid[], int[], uuid[], text[], timestamptz[], bytea[]) set plan_cache_mode = force_generic_plan;
alter function create_time_partitions(date, date) set lock_timeout = '200ms';
alter function make_events_partitions(date, date) set lock_timeout = '200ms';
