-- Times of events lie in the years 0 to 9999, in UTC, which is what RFC 3339 can say: what was stored with another was read as
-- a time that no program takes back.
create function checked_year(event int, value timestamptz) returns timestamptz language plpgsql as $$
begin
    -- The year 0 is 1 BC.
    if value < '0001-01-01 00:00:00+00 BC' or value >= '10000-01-01 00:00:00+00' then
        perform refuse_event(event, 'occurredAt', 'is not in the years 0 to 9999, in UTC');
    end if;
    return value;
end
$$;

create or replace function append_event(
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
    perform checked_year(1, occurred_at);

    return query
        select a.version, a.position
        from append_checked(
            array[stream], array[expected_version], array[event_id], array[checked_type(1, type)],
            array[coalesce(occurred_at, clock_timestamp())],
            array[identity_frame(checked_object(1, 'data', data), checked_object(1, 'metadata', metadata))]
        ) a;
end
$$;

create or replace function checked_time(event int, field text, object jsonb) returns timestamptz
language plpgsql as $$
declare
    value text := checked_text(event, field, object);
begin
    if value !~* '^\d{4}-\d\d-\d\d[t ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?(z|[+-]\d\d:\d\d)$' then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    return checked_year(event, value::timestamptz);
exception
    when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
        return null;
end
$$;

do $$
begin
    execute format('alter function append_event(uuid, text, jsonb, jsonb, int, uuid, timestamptz) set search_path = %I, pg_temp',
                   current_schema());
end
$$;
