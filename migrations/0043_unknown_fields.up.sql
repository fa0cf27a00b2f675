-- append_events takes the fields of events.md and no others, as a line of JSON does: a misspelt expectedVersion or id would be
-- lost in silence, and with it what was expected, or the retry.
alter function append_events(jsonb) rename to append_known_fields;

create function append_events(events jsonb) returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile as $$
declare
    unknown record;
begin
    select place, field into unknown
    from jsonb_array_elements(case jsonb_typeof(events) when 'array' then events else '[]' end) with ordinality e(event, place)
    cross join lateral jsonb_object_keys(case jsonb_typeof(event) when 'object' then event else '{}' end) field
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

revoke execute on function append_events(jsonb) from public;
grant execute on function append_events(jsonb) to recorder_appender, recorder_owner;

-- A field of an event's JSON as a time (RFC 3339); null where it is absent. An hour 24 and more than nine digits of fraction
-- are none, although PostgreSQL reads them.
create or replace function checked_time(event int, field text, object jsonb) returns timestamptz
language plpgsql as $$
declare
    value text := checked_text(event, field, object);
begin
    if value !~* '^\d{4}-\d\d-\d\d[t ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?(z|[+-]\d\d:\d\d)$' then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    return value::timestamptz;
exception
    when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
        return null;
end
$$;

do $$
begin
    execute format('alter function append_events(jsonb) set search_path = %I, pg_temp', current_schema());
end
$$;
