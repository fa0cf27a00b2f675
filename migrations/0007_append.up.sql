-- Appending for clients that speak SQL: the rules of events.md, the same that the Swift appender follows.
--
-- Nothing is locked. A stream's next version is read from its key, and the key decides between writers
-- that race for it. NOTIFY is never sent from here (it would hold a lock of the whole cluster through the
-- commit): projectors poll slowly anyway, and wake_projectors() hurries them.
--
-- Errors: RC001 wrong expected version, RC002 bad input; their DETAIL is a JSON object.

-- The id of an event type, made when it is new.
create function event_type_id(type_name text) returns smallint
language plpgsql volatile set search_path from current as $$
declare
    found_id smallint;
begin
    loop
        select id into found_id from event_types where name = type_name;
        exit when found;
        insert into event_types (name) values (type_name) on conflict do nothing returning id into found_id;
        exit when found;
        if current_setting('transaction_isolation') <> 'read committed' then
            raise exception 'event type % was created by a concurrent transaction', quote_literal(type_name)
                using errcode = 'serialization_failure';
        end if;
    end loop;
    return found_id;
end
$$;

-- Refuses bad input: which event of the call (from 1), which field, and why.
create function refuse_event(event int, field text, reason text) returns void language plpgsql as $$
begin
    raise exception 'event %: %: %', event, field, reason
        using errcode = 'RC002', detail = jsonb_build_object('event', event, 'field', field, 'reason', reason)::text;
end
$$;

-- Refuses what the stream does not allow.
create function refuse_version(stream uuid, expected int, found_version int, reason text) returns void
language plpgsql as $$
declare
    expected_word text := case expected when -1 then 'exists' when 0 then 'none'
                          else coalesce(expected::text, 'any') end;
begin
    raise exception 'wrong expected version of stream %: expected %, found %: %',
        stream, expected_word, found_version, reason
        using errcode = 'RC001',
              detail = jsonb_build_object('stream', stream, 'expected', expected_word, 'found', found_version,
                                          'reason', reason)::text;
end
$$;

-- Checks a JSON object of an event; null counts as {}.
create function checked_object(event int, field text, object jsonb) returns jsonb language plpgsql as $$
begin
    if object is null then
        return '{}';
    elsif jsonb_typeof(object) <> 'object' then
        perform refuse_event(event, field, 'is not a JSON object');
    elsif octet_length(object::text) > 1048576 then
        perform refuse_event(event, field, 'is larger than 1 MiB');
    elsif jsonb_path_exists(object, 'strict $.**{64 to last} ? (@.type() == "object" || @.type() == "array")') then
        perform refuse_event(event, field, 'is nested deeper than 64');
    elsif jsonb_path_exists(object, 'strict $.** ? (@.type() == "number"'
                            ' && (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308))') then
        perform refuse_event(event, field, 'holds a number that is not finite');
    end if;
    return object;
end
$$;

-- Checks the name of an event's type.
create function checked_type(event int, type text) returns text language plpgsql as $$
begin
    if type is null then
        perform refuse_event(event, 'type', 'is missing');
    elsif type = '' then
        perform refuse_event(event, 'type', 'is empty');
    elsif octet_length(type) > 128 then
        perform refuse_event(event, 'type', 'is longer than 128 bytes');
    end if;
    return type;
end
$$;

-- Stores events that were checked: parallel arrays, an element an event, several streams in any mixture.
--
-- `expected` holds a stream's expected version at its first event: null any, -1 exists, n exactly n.
-- An id that is null was not chosen by the producer: it is made here and cannot be a retry.
-- One row an event, in the order of the call. (Generic plans: pruned while they run, they touch one partition
-- just the same, and planning for all of them anew each time costs more than the append.)
create function append_checked(
    streams uuid[], expected int[], ids uuid[], types text[], occurred timestamptz[], payloads bytea[]
) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile set search_path from current set plan_cache_mode to force_generic_plan as $$
#variable_conflict use_column
declare
    single      record;
    head        int;
    old_ids     uuid[];
    old         int[];
    type_ids    smallint[];
    new_ids     uuid[] := array(select coalesce(id, uuid_v7()) from unnest(ids) with ordinality u(id, n) order by n);
    versions    int[];
    is_new      boolean[];
    stored_stream   uuid;
    stored_expected int;
    stored_head     int;
    place       int;
begin
    -- In the order of their names: two calls that bring the same new types do not wait for each other in a ring.
    with names as materialized (
        select name, event_type_id(name) as id from (select distinct name from unnest(types) name order by 1) sorted
    )
    select array_agg(names.id order by n) into type_ids
    from unnest(types) with ordinality u(name, n) join names using (name);

    loop
        versions := array_fill(null::int, array[cardinality(streams)]);
        is_new := array_fill(true, array[cardinality(streams)]);

        for single in
            select u.stream, (array_agg(u.expected order by n))[1] as expected, array_agg(u.id order by n) as ids,
                   array_agg(n order by n) as places, bool_or(u.given is not null) as may_be_retry
            from unnest(streams, expected, new_ids, ids) with ordinality u(stream, expected, id, given, n)
            group by u.stream
        loop
            select coalesce(max(e.version), 0) into head from events e where e.stream_id = single.stream;

            if head > 0 and single.may_be_retry then
                select array_agg(e.event_id order by e.version), array_agg(e.version order by e.version)
                into old_ids, old
                from events e where e.stream_id = single.stream and e.event_id = any (single.ids);

                if old_ids = single.ids and old[cardinality(old)] - old[1] = cardinality(old) - 1 then
                    -- The same append again: it succeeded the first time, whatever it expects now.
                    for i in 1 .. cardinality(single.places) loop
                        versions[single.places[i]] := old[i];
                        is_new[single.places[i]] := false;
                    end loop;
                    stored_stream := single.stream;
                    stored_expected := single.expected;
                    stored_head := head;
                    continue;
                elsif cardinality(old_ids) < cardinality(single.ids) then
                    perform refuse_version(single.stream, single.expected, head, format(
                        '%s of the %s event ids of this append are already in the stream, the others are not',
                        cardinality(old_ids), cardinality(single.ids)));
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

            for i in 1 .. cardinality(single.places) loop
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
                if current_setting('transaction_isolation') <> 'read committed' then
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

-- Appends one event.
--
-- `expected_version`: null whatever the stream holds, n that it holds exactly n events. Without
-- `event_id` a UUIDv7 is made; with it, calling again returns what the first call returned.
create function append_event(
    stream uuid, type text, data jsonb, metadata jsonb default '{}', expected_version int default null,
    event_id uuid default null, occurred_at timestamptz default clock_timestamp()
) returns table (version int, "position" bigint)
language plpgsql volatile set search_path from current as $$
begin
    if stream is null then
        perform refuse_event(1, 'stream', 'is missing');
    elsif expected_version < 0 then
        perform refuse_event(1, 'expectedVersion', 'is negative');
    elsif not isfinite(occurred_at) then
        perform refuse_event(1, 'occurredAt', 'is not a finite time');
    end if;

    return query
        select a.version, a.position
        from append_checked(
            array[stream], array[expected_version], array[event_id], array[checked_type(1, type)],
            array[coalesce(occurred_at, clock_timestamp())],
            array[identity_frame(checked_object(1, 'data', data), checked_object(1, 'metadata', metadata))]
        ) a;
end
$$;

-- A field of an event's JSON as text; null where it is absent.
create function checked_text(event int, field text, object jsonb) returns text language plpgsql as $$
begin
    if object -> field is null then
        return null;
    elsif jsonb_typeof(object -> field) <> 'string' then
        perform refuse_event(event, field, 'is not a string');
    end if;
    return object ->> field;
end
$$;

-- A field of an event's JSON as a UUID; null where it is absent.
create function checked_uuid(event int, field text, object jsonb) returns uuid language plpgsql as $$
declare
    value text := checked_text(event, field, object);
begin
    if value !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
        perform refuse_event(event, field, 'is not a UUID');
    end if;
    return value::uuid;
end
$$;

-- A field of an event's JSON as a time (RFC 3339); null where it is absent.
create function checked_time(event int, field text, object jsonb) returns timestamptz
language plpgsql as $$
declare
    value text := checked_text(event, field, object);
begin
    if value !~* '^\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(\.\d+)?(z|[+-]\d\d:\d\d)$' then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    return value::timestamptz;
exception
    when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
        return null;
end
$$;

-- An event's expectedVersion: null any, -1 exists, n exactly n.
create function checked_expected_version(event int, object jsonb) returns int language plpgsql as $$
declare
    value jsonb := object -> 'expectedVersion';
begin
    case
        when value is null or value = '"any"' then return null;
        when value = '"none"' then return 0;
        when value = '"exists"' then return -1;
        when jsonb_typeof(value) = 'number' and (value)::text ~ '^\d{1,9}$' then return value::int;
        else perform refuse_event(event, 'expectedVersion', 'is not "any", "none", "exists" or a number of events');
    end case;
    return null;
end
$$;

-- Appends several events, to one stream or to several: all, or none.
--
-- `events` is an array of objects in the form of a line of JSON of events.md. A stream's expected version
-- is that of its first event here. One row an event, in the order given.
create function append_events(events jsonb)
returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile set search_path from current as $$
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
    if jsonb_typeof(events) is distinct from 'array' then
        perform refuse_event(0, 'events', 'is not an array');
    end if;

    for item in select value from jsonb_array_elements(events) with ordinality e(value, place) order by place loop
        n := n + 1;
        if jsonb_typeof(item) <> 'object' then
            perform refuse_event(n, 'event', 'is not a JSON object');
        elsif item -> 'stream' is null then
            perform refuse_event(n, 'stream', 'is missing');
        end if;
        streams[n] := checked_uuid(n, 'stream', item);
        expected[n] := checked_expected_version(n, item);
        ids[n] := checked_uuid(n, 'id', item);
        types[n] := checked_type(n, checked_text(n, 'type', item));
        occurred[n] := coalesce(checked_time(n, 'occurredAt', item), clock_timestamp());
        payloads[n] := identity_frame(checked_object(n, 'data', item -> 'data'),
                                      checked_object(n, 'metadata', item -> 'metadata'));
    end loop;

    select later.place into mistake
    from (
        select place, id, lag(place) over same as earlier
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
        select place, u.expected as own, first_value(u.expected) over (partition by u.stream order by place) as first
        from unnest(streams, expected) with ordinality u(stream, expected, place)
    ) later
    where own is distinct from first and events -> (place - 1)::int ? 'expectedVersion' order by place limit 1;
    if found then
        perform refuse_event(mistake.place::int, 'expectedVersion',
                             'differs from that of the stream''s first event in this append');
    end if;

    return query select a.* from append_checked(streams, expected, ids, types, occurred, payloads) a;
end
$$;

-- Wakes the projectors after a commit. For clients that append by SQL and do not want to wait for a poll.
create function wake_projectors() returns void language sql volatile set search_path from current as $$
    select pg_notify(current_schema() || '_events', '')
$$;

-- They run with their caller's rights; who may not insert gains nothing by calling them.
revoke execute on function append_event(uuid, text, jsonb, jsonb, int, uuid, timestamptz), append_events(jsonb),
    append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]), event_type_id(text) from public;
grant execute on function append_event(uuid, text, jsonb, jsonb, int, uuid, timestamptz), append_events(jsonb),
    append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]), event_type_id(text) to recorder_appender;
