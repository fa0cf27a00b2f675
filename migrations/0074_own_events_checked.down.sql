create or replace function append_own_events(events jsonb)
returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile security definer as $$
begin
    if acting_user() is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif exists (
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
