-- The id of an event type, made when it is new.
create or replace function event_type_id(type_name text) returns smallint
language plpgsql volatile set search_path from current as $$
declare
    found_id smallint;
begin
    loop
        select id into found_id from event_types where name = type_name;
        exit when found;
        insert into event_types (name) values (type_name) on conflict do nothing returning id into found_id;
        exit when found;
        if current_setting('transaction_isolation') <> 'read committed' then
            raise exception 'event type % was created by a concurrent transaction', quote_literal(type_name)
                using errcode = 'serialization_failure';
        end if;
    end loop;
    return found_id;
end
$$;

do $$
begin
    execute format('alter function event_type_id(text) set search_path = %I, pg_temp', current_schema());
end
$$;
