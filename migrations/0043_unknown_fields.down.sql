drop function append_events(jsonb);
alter function append_known_fields(jsonb) rename to append_events;

create or replace function checked_time(event int, field text, object jsonb) returns timestamptz
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
