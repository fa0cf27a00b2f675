-- Ids of event types are drawn from a sequence, and a transaction that comes to nothing has used up its own: after 32,767 of
-- them no new type could be stored any more, however few there were.

-- The id of an event type, made when it is new. Once the sequence is at its end, ids are given that nobody got.
create or replace function event_type_id(type_name text) returns smallint
language plpgsql volatile set search_path from current as $$
declare
    found_id smallint;
begin
    loop
        select id into found_id from event_types where name = type_name;
        exit when found;
        begin
            insert into event_types (name) values (type_name) on conflict do nothing returning id into found_id;
        exception when sequence_generator_limit_exceeded then
            if (select count(*) = 32767 from event_types) then
                raise exception 'there are 32,767 event types, as many as there can be; use one of them'
                    using errcode = 'program_limit_exceeded';
            end if;
            insert into event_types (id, name) overriding system value
            select min(id), type_name from (
                select id::smallint from generate_series(1, 32767) id except select id from event_types
            ) free
            on conflict do nothing returning id into found_id;
        end;
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
