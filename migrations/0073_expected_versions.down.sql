create or replace function checked_expected_version(event int, object jsonb) returns int
language plpgsql volatile as $$
declare
    value jsonb := object -> 'expectedVersion';
begin
    case
        when value is null or value = '"any"' then return null;
        when value = '"none"' then return 0;
        when value = '"exists"' then return -1;
        when jsonb_typeof(value) = 'number' and (value)::text ~ '^[0-9]{1,9}$' then return value::int;
        else perform refuse_event(event, 'expectedVersion', 'is not "any", "none", "exists" or a number of events');
    end case;
    return null;
end
$$;

