-- Frames of services are looked at whole before they are stored: an event was lost in silence where the arrays were not of one
-- length, a frame that is not there was read without end, and one with bytes too many or a wrong checksum was stored, to be read
-- by nobody.

-- Reads a number of a frame's header at a place, as PayloadCodec does: LEB128 of at most five bytes, none of them needless.
create function frame_number(frame bytea, inout place int, out number bigint)
language plpgsql immutable strict parallel safe as $$
declare
    byte int;
begin
    number := 0;
    for shift in 0 .. 28 by 7 loop
        exit when place >= length(frame);
        byte := get_byte(frame, place);
        place := place + 1;
        number := number | ((byte & 127)::bigint << shift);
        if byte < 128 and (byte > 0 or shift = 0) then
            return;
        end if;
        exit when byte < 128;
    end loop;
    raise exception 'a number in a frame''s header is cut off or longer than it need be' using errcode = 'RC002';
end
$$;

-- What of an uncompressed frame is not sealed. Its checksum is compared if it is one that SQL computes.
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
    if length(frame) < 8 or get_byte(frame, 0) not in (16, 18, 24, 26) or get_byte(frame, 1) <> 0 then
        raise exception 'a frame is not one of a payload that was stored as it is' using errcode = 'RC002';
    end if;
    flags := get_byte(frame, 0) & 15;
    select read.place, read.number into place, data_length from frame_number(frame, place) read;
    select read.place, read.number into place, metadata_length from frame_number(frame, place) read;
    checksum := substr(frame, place + 1, 4);
    place := place + 4;
    if flags & 8 <> 0 then
        -- The key, how many places, the places, the length of what is sealed.
        select read.place into place from frame_number(frame, place) read;
        select read.place, read.number into place, places from frame_number(frame, place) read;
        for following in 0 .. places loop
            select read.place, read.number into place, number from frame_number(frame, place) read;
        end loop;
        place := least(place + number, length(frame));
    end if;
    body := substr(frame, place + 1);
    if length(body) <> data_length + metadata_length then
        raise exception 'a frame is not as long as it says' using errcode = 'RC002';
    elsif flags & 2 <> 0 and checksum <> substr(sha256(int4_little_endian(data_length::int) || body), 1, 4) then
        raise exception 'the checksum of a frame is not that of its bytes' using errcode = 'RC002';
    end if;
    data := convert_from(substr(body, 1, data_length::int), 'UTF8')::jsonb;
    metadata := case when metadata_length = 0 then '{}' else convert_from(substr(body, data_length::int + 1), 'UTF8')::jsonb end;
end
$$;

-- Appends events about the acting user to his own stream, as append_own_events (0030) does, for services that have the key:
-- what is personal is sealed in the frames, which are not compressed, so that the rest is checked here as it is there.
create or replace function append_own_frames(ids uuid[], types text[], frames bytea[])
returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile security definer as $$
begin
    if acting_user() is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif (cardinality(ids) = cardinality(types) and cardinality(ids) = cardinality(frames)) is not true then
        perform refuse_event(0, 'events', 'have not as many ids, types and frames');
    elsif array_position(ids, null) is not null then
        perform refuse_event(array_position(ids, null), 'id', 'is missing');
    elsif array_position(frames, null) is not null then
        perform refuse_event(array_position(frames, null), 'frame', 'is missing');
    end if;
    if exists (
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

do $$
begin
    execute format('alter function append_own_frames(uuid[], text[], bytea[]) set search_path = %I, pg_temp', current_schema());
end
$$;

alter function frame_number(bytea, int) owner to recorder_owner;
