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
        select from unnest(frames) frame join subject_keys key on key.id = sealed_key(frame)
        where key.subject_id <> acting_user()
    ) then
        raise exception 'a frame is sealed under another''s key' using errcode = 'insufficient_privilege';
    end if;
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

drop policy own_insert on subject_keys;
create policy own_insert on subject_keys for insert to recorder_service with check (subject_id = (select acting_user()));

revoke insert on events from recorder_appender;
revoke insert (occurred_at, version, type, encoding, stream_id, event_id, payload) on events from recorder_appender;
grant insert on events to recorder_appender;
