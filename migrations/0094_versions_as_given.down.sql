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

drop function refuse_given_version(uuid, text, int, text);

do $$
begin
    execute format('alter function append_known_fields(jsonb) set search_path = %I, pg_temp', current_schema());
end
$$;
