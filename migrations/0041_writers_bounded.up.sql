-- What writers may say of an event, and nothing else: its position, its transaction and the time of its recording are the
-- database's. A row with another's transaction id would lie behind every cursor, unseen for ever.
revoke insert on events from recorder_appender;
grant insert (occurred_at, version, type, encoding, stream_id, event_id, payload) on events to recorder_appender;

-- A service's key is wrapped by the key that leads: no projector has another that the service could name.
drop policy own_insert on subject_keys;
create policy own_insert on subject_keys for insert to recorder_service
    with check (subject_id = (select acting_user()) and kek_id = (select kek_id from sealing));

-- As in 0034; and a frame's key is the acting user's, not only no other's, what is not sealed is checked as append_events
-- checks it, and no id stands twice.
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

do $$
begin
    execute format('alter function append_own_frames(uuid[], text[], bytea[]) set search_path = %I, pg_temp', current_schema());
end
$$;
