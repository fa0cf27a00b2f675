-- RFC 3339 has times in the year 0000 and up to 23:59 from UTC. PostgreSQL reads neither that year nor more than 15:59, so
-- append_events refused times that every other appender takes: local time and zone are read apart.
create or replace function checked_time(event int, field text, object jsonb) returns timestamptz
language plpgsql volatile as $$
declare
    value   text := checked_text(event, field, object);
    zone    text := coalesce(pg_catalog.substring(value, '[+-][0-9]{2}:[0-9]{2}$'), '+00:00');
    is_leap boolean := pg_catalog.substr(value, 18, 2) = '60';
    local   timestamp;
    moment  timestamptz;
begin
    if value !~* ('^[0-9]{4}-[0-9]{2}-[0-9]{2}[t ]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?'
                  '(z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$') then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    -- Microseconds are kept, the rest is cut.
    value := pg_catalog.substring(value, '^.{19}(?:[.][0-9]{1,6})?');
    if is_leap then
        value := overlay(value placing '59' from 18);
    end if;
    if value like '0000%' then
        -- A leap year, as the year 4 is.
        local := overlay(value placing '0004' from 1)::timestamp - interval '4 years';
    else
        local := value::timestamp;
    end if;
    moment := (local - pg_catalog.substr(zone, 1, 6)::interval) at time zone 'UTC'
        + case when is_leap then interval '1 second' else interval '0' end;
    if is_leap and pg_catalog.to_char(moment at time zone 'UTC', 'MM-DD HH24:MI:SS') <> all (array['01-01 00:00:00',
        '07-01 00:00:00']) then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    return checked_year(event, moment);
exception
    when datetime_field_overflow or invalid_datetime_format then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
        return null;
end
$$;
