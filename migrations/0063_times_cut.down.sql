create or replace function checked_time(event int, field text, object jsonb) returns timestamptz
language plpgsql volatile as $$
declare
    value text := checked_text(event, field, object);
begin
    if value !~* '^[0-9]{4}-[0-9]{2}-[0-9]{2}[t ]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(z|[+-][0-9]{2}:[0-9]{2})$' then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    return checked_year(event, value::timestamptz);
exception
    when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
        return null;
end
$$;

