-- What is no array of objects is refused as append_events refuses it, with the event, the field and the reason; it ended with
-- whatever the server's JSON functions said.

-- Appends events about the acting user to his own stream; see 0030.
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
           or split_part(event ->> 'type', '.', 1) <> all (array['user', 'voice_model', 'face_model', 'document', 'access'])
           or lower(event -> 'data' ->> 'userId') <> acting_user()::text
    ) then
        raise exception 'events of users, models, documents and access go to the acting user''s own stream only'
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

do $$
begin
    execute format('alter function append_own_events(jsonb) set search_path = %I, pg_temp', current_schema());
end
$$;
