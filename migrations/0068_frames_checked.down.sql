create or replace function open_payload(frame bytea, out data jsonb, out metadata jsonb)
language plpgsql immutable parallel safe as $$
declare
    place    int := 2;
    shift    int;
    byte     int;
    numbers  int[];
    lengths  int[] := '{0,0}';
begin
    if get_byte(frame, 0) not in (16, 18, 24, 26) or get_byte(frame, 1) <> 0 then
        raise exception 'a frame is not one of a payload that was stored as it is' using errcode = 'RC002';
    end if;
    for number in 1 .. 2 loop
        shift := 0;
        loop
            byte := get_byte(frame, place);
            lengths[number] := lengths[number] | ((byte & 127) << shift);
            place := place + 1;
            shift := shift + 7;
            exit when byte < 128;
        end loop;
    end loop;
    place := place + 4;  -- the checksum
    if get_byte(frame, 0) & 8 <> 0 then
        -- The key, how many places, the places, the length of what is sealed.
        numbers := '{}';
        while cardinality(numbers) < 3 or cardinality(numbers) < 3 + numbers[2] loop
            numbers := numbers || 0;
            shift := 0;
            loop
                byte := get_byte(frame, place);
                numbers[cardinality(numbers)] := numbers[cardinality(numbers)] | ((byte & 127) << shift);
                place := place + 1;
                shift := shift + 7;
                exit when byte < 128;
            end loop;
        end loop;
        place := place + numbers[cardinality(numbers)];
    end if;
    data := convert_from(substr(frame, place + 1, lengths[1]), 'UTF8')::jsonb;
    metadata := case when lengths[2] = 0 then '{}'
                     else convert_from(substr(frame, place + 1 + lengths[1], lengths[2]), 'UTF8')::jsonb end;
end
$$;

create or replace function append_own_frames(ids uuid[], types text[], frames bytea[])
returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile security definer as $$
begin
    if acting_user() is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif exists (
        select from unnest(types, frames) event(type, frame) cross join lateral open_payload(frame) json
        where split_part(checked_type(1, type), '.', 1) <> all (array['user', 'voice_model', 'face_model', 'document', 'access'])
           or lower(json.data ->> 'userId') is distinct from acting_user()::text
    ) then
        raise exception 'events of users, models, documents and access go to the acting user''s own stream only'
            using errcode = 'insufficient_privilege';
    elsif exists (
        select from unnest(frames) frame
        where sealed_key(frame) is not null and not exists (
            select from subject_keys key where key.id = sealed_key(frame) and key.subject_id = acting_user()
        )
    ) then
        raise exception 'a frame is sealed under a key that is not the acting user''s' using errcode = 'insufficient_privilege';
    elsif (select count(id) <> count(distinct id) from unnest(ids) id) then
        perform refuse_event(1, 'id', 'occurs twice in this append to the stream');
    end if;
    perform checked_object(place::int, 'data', json.data), checked_object(place::int, 'metadata', json.metadata)
    from unnest(frames) with ordinality event(frame, place) cross join lateral open_payload(frame) json;
    perform refuse_personal_fields(types, frames);
    return query select a.* from append_rows(
        array_fill(acting_user(), array[cardinality(ids)]), array_fill(null::int, array[cardinality(ids)]), ids, types,
        array_fill(clock_timestamp(), array[cardinality(ids)]), frames) a;
end
$$;

drop function frame_number(bytea, int);

do $$
begin
    execute format('alter function append_own_frames(uuid[], text[], bytea[]) set search_path = %I, pg_temp', current_schema());
end
$$;
