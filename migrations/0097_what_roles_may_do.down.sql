do $$
declare
    own regclass;
begin
    foreach own in array array['projection_checkpoints', 'projection_quarantine', 'projection_rebuilds',
                               'projection_rebuild_quarantine', 'projector_workers', 'time_partitions']::regclass[] loop
        execute format('alter table %s owner to recorder_projector', own);
    end loop;
end
$$;

alter function create_time_partitions(date, date) security definer;

grant execute on function refuse_dictionary_in_use() to public;

grant insert on dictionaries to recorder_appender;
alter table dictionaries drop constraint dictionaries_size;
alter table events drop constraint events_bounded;

create or replace function event_type_id(type_name text) returns smallint
language plpgsql volatile as $$
declare
    found_id smallint;
begin
    loop
        select id into found_id from event_types where name = type_name;
        exit when found;
        begin
            insert into event_types (name) values (type_name) on conflict do nothing returning id into found_id;
        exception when sequence_generator_limit_exceeded then
            if (select pg_catalog.count(*) = 32767 from event_types) then
                raise exception 'there are 32,767 event types, as many as there can be; use one of them'
                    using errcode = 'program_limit_exceeded',
                          hint = 'They are in event_types; what tells events of one type apart goes into data.';
            end if;
            insert into event_types (id, name) overriding system value
            select pg_catalog.min(id), type_name from (
                select id::smallint from pg_catalog.generate_series(1, 32767) id except select id from event_types
            ) free
            on conflict do nothing returning id into found_id;
        end;
        exit when found;
        if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
            raise exception 'event type % was created by a concurrent transaction', pg_catalog.quote_literal(type_name)
                using errcode = 'serialization_failure', hint = 'Run the transaction again.';
        end if;
    end loop;
    return found_id;
end
$$;

create or replace function open_payload(frame bytea, out data jsonb, out metadata jsonb)
language plpgsql immutable strict parallel safe as $$
declare
    flags            int;
    place            int := 2;
    data_length      bigint;
    metadata_length  bigint;
    checksum         bytea;
    places           bigint;
    number           bigint;
    body             bytea;
begin
    if pg_catalog.length(frame) < 8 or pg_catalog.get_byte(frame, 0) not in (16, 18, 24, 26) or pg_catalog.get_byte(frame,
        1) <> 0 then
        raise exception 'a frame is not one of a payload that was stored as it is'
            using errcode = 'RC002', hint = 'Frame the payload with neither compression nor dictionary.';
    end if;
    flags := pg_catalog.get_byte(frame, 0) & 15;
    select read.place, read.number into place, data_length from frame_number(frame, place) read;
    select read.place, read.number into place, metadata_length from frame_number(frame, place) read;
    checksum := pg_catalog.substr(frame, place + 1, 4);
    place := place + 4;
    if flags & 8 <> 0 then
        -- The key, how many places, the places, the length of what is sealed.
        select read.place into place from frame_number(frame, place) read;
        select read.place, read.number into place, places from frame_number(frame, place) read;
        for following in 0 .. places loop
            select read.place, read.number into place, number from frame_number(frame, place) read;
        end loop;
        place := least(place + number, pg_catalog.length(frame));
    end if;
    body := pg_catalog.substr(frame, place + 1);
    if pg_catalog.length(body) <> data_length + metadata_length then
        raise exception 'a frame is not as long as it says'
            using errcode = 'RC002', hint = 'Pass the frame whole, as the payload codec made it.';
    elsif flags & 2 <> 0 and checksum <> pg_catalog.substr(pg_catalog.sha256(int4_little_endian(data_length::int) || body), 1,
        4) then
        raise exception 'the checksum of a frame is not that of its bytes'
            using errcode = 'RC002', hint = 'Pass the frame whole, as the payload codec made it.';
    end if;
    data := pg_catalog.convert_from(pg_catalog.substr(body, 1, data_length::int), 'UTF8')::jsonb;
    metadata := case when metadata_length = 0 then '{}' else pg_catalog.convert_from(pg_catalog.substr(body,
        data_length::int + 1), 'UTF8')::jsonb end;
end
$$;

do $$
begin
    execute format('alter function event_type_id(text) set search_path = %I, pg_temp', current_schema());
end
$$;
