create function users_to_erase(batch int) returns setof uuid language sql stable
begin atomic
    select id from users
    where deleted_at < retention_cutoff('deleted_users') and email <> id || '@erased.invalid'
      and id not in (select user_id from legal_holds)
    order by deleted_at, id limit batch;
end;

alter function users_to_erase(int) owner to recorder_owner;
revoke execute on function users_to_erase(int) from public;
grant execute on function users_to_erase(int) to recorder_owner;

create or replace function erase_entities(subject uuid, actor text) returns void language plpgsql volatile as $$
declare
    changed   jsonb := '[]';
    added     jsonb;
    nothing   text := 'erased';
    done      jsonb := '{}';
    mentioned boolean;
begin
    perform refuse_held(subject);
    with blanked as (
        update users
        set email = subject || '@erased.invalid', personality_traits = '{}', settings = '{}',
            deleted_at = coalesce(deleted_at, greatest(clock_timestamp(), created_at))
        where id = subject and email <> subject || '@erased.invalid'
        returning id, version
    )
    select coalesce(jsonb_agg(jsonb_build_object('type', 'user.erased', 'id', id, 'version', version)), '[]') into added
    from blanked;
    changed := changed || added;
    done := done || jsonb_build_object('users', jsonb_array_length(added));

    with blanked as (
        update voice_models set model_path = nothing, deleted_at = coalesce(deleted_at, greatest(clock_timestamp(), created_at))
        where user_id = subject and (model_path <> nothing or deleted_at is null)
        returning id, version
    )
    select coalesce(jsonb_agg(jsonb_build_object('type', 'voice_model.erased', 'id', id, 'version', version)), '[]') into added
    from blanked;
    changed := changed || added;
    done := done || jsonb_build_object('voice_models', jsonb_array_length(added));

    with blanked as (
        update face_models set model_path = nothing, deleted_at = coalesce(deleted_at, greatest(clock_timestamp(), created_at))
        where user_id = subject and (model_path <> nothing or deleted_at is null)
        returning id, version
    )
    select coalesce(jsonb_agg(jsonb_build_object('type', 'face_model.erased', 'id', id, 'version', version)), '[]') into added
    from blanked;
    changed := changed || added;
    done := done || jsonb_build_object('face_models', jsonb_array_length(added));

    with blanked as (
        update knowledge_documents
        set filename = nothing, text_content = '', vector_ids = '{}',
            deleted_at = coalesce(deleted_at, greatest(clock_timestamp(), uploaded_at))
        where user_id = subject and (filename <> nothing or text_content <> '' or vector_ids <> '{}' or deleted_at is null)
        returning id, version
    )
    select coalesce(jsonb_agg(jsonb_build_object('type', 'document.erased', 'id', id, 'version', version)), '[]') into added
    from blanked;
    changed := changed || added;
    done := done || jsonb_build_object('knowledge_documents', jsonb_array_length(added));

    -- Somebody who is known by his sessions only is erased as well, once for each erasure.
    select coalesce((counts ->> 'events_appended')::bigint, 0) > 0 into mentioned
    from erasures where subject_id = subject and finished_at is null;
    if not coalesce(mentioned, false) and not changed @> '[{"type": "user.erased"}]' then
        changed := changed || jsonb_build_array(jsonb_build_object('type', 'user.erased', 'id', subject));
    end if;

    if changed <> '[]' then
        perform append_events((
            select jsonb_agg(jsonb_build_object(
                'stream', subject, 'type', item ->> 'type',
                'data', jsonb_strip_nulls(jsonb_build_object('id', item -> 'id', 'userId', subject, 'version', item -> 'version',
                                                             'result', 'success')),
                'metadata', jsonb_build_object('actor', actor)
            ) order by place)
            from jsonb_array_elements(changed) with ordinality e(item, place)
        ));
    end if;
    perform count_erased(subject, done || jsonb_build_object('events_appended', jsonb_array_length(changed)));
end
$$;

do $$
begin
    execute format('alter function users_to_erase(int) set search_path = %I, pg_temp', current_schema());
    execute format('alter function erase_entities(uuid, text) set search_path = %I, pg_temp', current_schema());
end
$$;

drop trigger refuse_held_delete on users;
drop trigger refuse_held_delete on voice_models;
drop trigger refuse_held_delete on face_models;
drop trigger refuse_held_delete on knowledge_documents;
drop trigger refuse_after_erasure on users;
drop trigger refuse_after_erasure on voice_models;
drop trigger refuse_after_erasure on face_models;
drop trigger refuse_after_erasure on knowledge_documents;
drop function refuse_held_delete(), refuse_after_erasure(), refuse_erased(uuid), begin_due_erasure(uuid, text),
    begin_erasure(uuid, text, boolean), hold_user(uuid, text, text), release_user(uuid, text), append_hold(uuid, text, text);
drop function users_to_erase(int, uuid[]);
drop function has_living_streams(uuid), is_blank_user(users);
alter table users drop constraint users_email_reserved;
