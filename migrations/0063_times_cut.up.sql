-- A time is what the program reads in the same text: PostgreSQL rounded what is finer than microseconds, so that an event of
-- March could be one of April, and took every second 60 for the first of the next minute.

-- A field of an event's JSON as a time (RFC 3339); null where it is absent. Microseconds are kept, the rest is cut. A leap
-- second, 23:59:60 UTC on 30 June or 31 December, is the second after it.
create or replace function checked_time(event int, field text, object jsonb) returns timestamptz
language plpgsql volatile as $$
declare
    value   text := checked_text(event, field, object);
    is_leap boolean := substr(value, 18, 2) = '60';
    moment  timestamptz;
begin
    if value !~* '^[0-9]{4}-[0-9]{2}-[0-9]{2}[t ]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(z|[+-][0-9]{2}:[0-9]{2})$' then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    if is_leap then
        value := overlay(value placing '59' from 18);
    end if;
    moment := regexp_replace(value, '(?<=[.][0-9]{6})[0-9]+', '')::timestamptz + is_leap::int * interval '1 second';
    if is_leap and to_char(moment at time zone 'UTC', 'MM-DD HH24:MI:SS') <> all (array['01-01 00:00:00', '07-01 00:00:00']) then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    return checked_year(event, moment);
exception
    when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
        return null;
end
$$;
