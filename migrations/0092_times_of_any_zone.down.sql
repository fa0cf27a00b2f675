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
