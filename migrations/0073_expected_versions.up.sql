-- append_events refused an expected version that was not written in up to nine digits as bad input, where append_event and the
-- program find that the stream holds another number of events.

-- An event's expectedVersion: null any, -1 exists, n exactly n. No stream holds as many events as the largest int.
create or replace function checked_expected_version(event int, object jsonb) returns int language plpgsql as $$
declare
    value jsonb := object -> 'expectedVersion';
begin
    if value is null or value = '"any"' then
        return null;
    elsif value = '"none"' then
        return 0;
    elsif value = '"exists"' then
        return -1;
    elsif jsonb_typeof(value) = 'number' then
        if value::numeric >= 0 and value::numeric <= 9223372036854775807 and value::numeric = trunc(value::numeric) then
            return least(value::numeric, 2147483647);
        end if;
    end if;
    perform refuse_event(event, 'expectedVersion', 'is not "any", "none", "exists" or a number of events');
    return null;
end
$$;
