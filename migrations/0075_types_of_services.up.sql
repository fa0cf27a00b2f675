-- A service could have the audit log tell that a user was held or released, which only the recorder knows.

-- Whether a service that acts for a user may append events of a type.
create function is_services_type(type text) returns boolean language sql immutable strict parallel safe
return split_part(type, '.', 1) = any (array['user', 'voice_model', 'face_model', 'document', 'access'])
    and type <> all (array['user.held', 'user.released']);

alter function is_services_type(text) owner to recorder_owner;

create or replace function append_own_events(events jsonb)
returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile security definer as $$
begin
    if acting_user() is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif jsonb_typeof(events) is distinct from 'array' then
        perform refuse_event(0, 'events', 'is not an array');
    end if;
    perform refuse_event(place::int, 'event', 'is not a JSON object')
    from jsonb_array_elements(events) with ordinality e(event, place) where jsonb_typeof(event) <> 'object' order by place;
    if exists (
        select from jsonb_array_elements(events) event
        where lower(event ->> 'stream') is distinct from acting_user()::text
           or not is_services_type(event ->> 'type')
           or lower(event -> 'data' ->> 'userId') <> acting_user()::text
    ) then
        raise exception 'events of users, models, documents and access go to the acting user''s own stream only, and those of holds'
            ' are the recorder''s'
            using errcode = 'insufficient_privilege';
    end if;
    return query select * from append_events((
        select coalesce(jsonb_agg(
            case when coalesce(jsonb_typeof(event -> 'data'), 'object') = 'object'
                 then jsonb_set(event, '{data}', coalesce(event -> 'data', '{}') || jsonb_build_object('userId', acting_user()))
                 else event end
            order by place
        ), '[]')
        from jsonb_array_elements(events) with ordinality e(event, place)
    ));
end
$$;

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
        where not is_services_type(checked_type(1, type))
           or lower(json.data ->> 'userId') is distinct from acting_user()::text
    ) then
        raise exception 'events of users, models, documents and access go to the acting user''s own stream only, and those of holds'
            ' are the recorder''s'
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
declare
    name text;
begin
    foreach name in array array[
        'append_own_events(jsonb)',
        'append_own_frames(uuid[], text[], bytea[])'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;
