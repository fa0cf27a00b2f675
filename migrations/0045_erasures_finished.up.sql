-- Erasures that are finished whatever happens meanwhile: one that was cut off is taken up by `recorder retention run`, a user
-- who is restored in time is not erased, and what a service writes about an erased person is refused.

-- Whether a user's row holds nothing personal any more.
create function is_blank_user(person users) returns boolean language sql immutable
return (person).email = (person).id || '@erased.invalid' and (person).personality_traits = '{}' and (person).settings = '{}'
    and (person).deleted_at is not null;

-- An address that an erasure needs is nobody else's. Rows from before are not looked at.
alter table users add constraint users_email_reserved check (
    lower(email) not like '%@erased.invalid' or (email = id || '@erased.invalid' and deleted_at is not null)
) not valid;

-- Refuses what would give an erased person something personal again.
create function refuse_erased(subject uuid) returns void language plpgsql volatile security definer as $$
begin
    -- An erasure that has this row is waited for; one that comes later waits for us, and finds what we have written.
    perform from users where id = subject for key share;
    if exists (select from erasures where subject_id = subject) then
        raise exception 'user % is erased, and nothing is stored about him any more', subject using errcode = 'RC007';
    end if;
end
$$;

create function refuse_after_erasure() returns trigger language plpgsql as $$
begin
    -- Whoever erases blanks these rows.
    if not pg_has_role(current_user, 'recorder_owner', 'member') then
        if tg_argv[0] = 'user' then perform refuse_erased(new.id); else perform refuse_erased(new.user_id); end if;
    end if;
    return new;
end
$$;

create trigger refuse_after_erasure before insert or update on users
    for each row execute function refuse_after_erasure('user');
create trigger refuse_after_erasure before insert or update on voice_models
    for each row execute function refuse_after_erasure('model');
create trigger refuse_after_erasure before insert or update on face_models
    for each row execute function refuse_after_erasure('model');
create trigger refuse_after_erasure before insert or update on knowledge_documents
    for each row execute function refuse_after_erasure('document');

-- Refuses that a service deletes for good what is under a legal hold.
create function refuse_held_delete() returns trigger language plpgsql security definer as $$
begin
    if tg_argv[0] = 'user' then perform refuse_held(old.id); else perform refuse_held(old.user_id); end if;
    return old;
end
$$;

create trigger refuse_held_delete before delete on users for each row execute function refuse_held_delete('user');
create trigger refuse_held_delete before delete on voice_models for each row execute function refuse_held_delete('model');
create trigger refuse_held_delete before delete on face_models for each row execute function refuse_held_delete('model');
create trigger refuse_held_delete before delete on knowledge_documents
    for each row execute function refuse_held_delete('document');

-- Begins an erasure, or takes up the one that is under way. Of somebody who is not known here only if that is wanted: his
-- key is destroyed then before there is one.
create function begin_erasure(subject uuid, actor text, unknown_too boolean) returns bigint language plpgsql volatile as $$
declare
    about uuid;
begin
    if subject = '00000000-0000-0000-0000-000000000000' then
        raise exception 'the nil UUID is nobody' using errcode = 'RC008';
    end if;
    select subject_id into about from stream_subjects where stream_id = subject and subject_id <> subject;
    if found then
        raise exception '% is a session of user %: erase the user', subject, about using errcode = 'RC008';
    end if;
    if not (unknown_too or exists (select from users where id = subject)
            or exists (select from stream_subjects where subject_id = subject)
            or exists (select from events where stream_id = subject)
            or exists (select from erasures where subject_id = subject)) then
        raise exception '% is nobody whom this recorder knows', subject using errcode = 'RC008';
    end if;
    return begin_erasure(subject, actor);
end
$$;

-- Streams of somebody who is erased under whose own key something is sealed still: events that came before the one that
-- said whom they are about.
create function has_living_streams(subject uuid) returns boolean language sql stable
return exists (
    select from stream_subjects s join subject_keys k on k.subject_id = s.stream_id
    where s.subject_id = subject and k.destroyed_at is null
);

-- Whose erasure `retention run` has to begin or to finish, at most `batch` of them and none of those that were tried: those
-- that were cut off, by whomever they were begun; those who are erased and of whom something came to light; users who
-- were deleted long enough ago.
create function users_to_erase(batch int, tried uuid[]) returns setof uuid language sql stable
begin atomic
    select subject_id
    from (
        select subject_id, 1 as turn, started_at as since from erasures where finished_at is null
        union all
        select key.subject_id, 2, key.destroyed_at from subject_keys key
        where key.destroyed_at is not null and has_living_streams(key.subject_id)
          and not exists (select from erasures e where e.subject_id = key.subject_id and e.finished_at is null)
        union all
        select u.id, 3, u.deleted_at from users u
        where (select enabled from retention_policies where name = 'deleted_users')
          and u.deleted_at < retention_cutoff('deleted_users') and not is_blank_user(u)
          and not exists (select from erasures e where e.subject_id = u.id and e.finished_at is null)
    ) due
    where subject_id <> all (tried) and subject_id not in (select user_id from legal_holds)
    group by subject_id
    order by min(turn), min(since), subject_id
    limit batch;
end;

-- Begins or takes up what users_to_erase said, if it is still so: NULL if not. A user who is restored at the same moment
-- is either restored before, and stays, or finds that he is erased.
create function begin_due_erasure(subject uuid, actor text) returns bigint language plpgsql volatile as $$
declare
    since timestamptz;
begin
    select deleted_at into since from users where id = subject for update;
    if (since < retention_cutoff('deleted_users')
            and (select enabled from retention_policies where name = 'deleted_users'))
       or has_living_streams(subject)
       or exists (select from erasures where subject_id = subject and finished_at is null) then
        return begin_erasure(subject, actor);
    end if;
    return null;
end
$$;

-- As in 0035, but for whom a row is blank, and with the row locked.
create or replace function erase_entities(subject uuid, actor text) returns void language plpgsql volatile as $$
declare
    changed   jsonb := '[]';
    added     jsonb;
    nothing   text := 'erased';
    done      jsonb := '{}';
    mentioned boolean;
begin
    perform refuse_held(subject);
    -- Rows of his that are being written now are waited for, and those that come later are refused (refuse_after_erasure).
    perform from users where id = subject for update;
    if not found then
        -- A row that is being made is waited for as well.
        lock table users in share row exclusive mode;
    end if;
    with blanked as (
        update users
        set email = subject || '@erased.invalid', personality_traits = '{}', settings = '{}',
            deleted_at = coalesce(deleted_at, greatest(clock_timestamp(), created_at))
        where id = subject and not is_blank_user(users)
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

-- Puts a user under a legal hold and appends an event of it. Returns whether an erasure of his is under way, which stops
-- before its next step; NULL if he is held already.
create function hold_user(subject uuid, reason text, actor text) returns boolean language plpgsql volatile as $$
begin
    insert into legal_holds (user_id, reason, held_by) values (subject, reason, actor) on conflict do nothing;
    if not found then
        return null;
    end if;
    perform append_hold(subject, 'user.held', actor);
    return exists (select from erasures where subject_id = subject and finished_at is null);
end
$$;

-- Ends a legal hold and appends an event of it; false if there is none.
create function release_user(subject uuid, actor text) returns boolean language plpgsql volatile as $$
begin
    delete from legal_holds where user_id = subject;
    if not found then
        return false;
    end if;
    perform append_hold(subject, 'user.released', actor);
    return true;
end
$$;

create function append_hold(subject uuid, type text, actor text) returns void language plpgsql volatile as $$
begin
    perform append_events(jsonb_build_array(jsonb_build_object(
        'stream', subject, 'type', type, 'data', jsonb_build_object('userId', subject, 'result', 'success'),
        'metadata', jsonb_build_object('actor', actor)
    )));
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'is_blank_user(users)', 'refuse_erased(uuid)', 'refuse_after_erasure()', 'refuse_held_delete()',
        'begin_erasure(uuid, text, boolean)', 'has_living_streams(uuid)', 'users_to_erase(int, uuid[])',
        'begin_due_erasure(uuid, text)', 'hold_user(uuid, text, text)', 'release_user(uuid, text)',
        'append_hold(uuid, text, text)', 'erase_entities(uuid, text)'
    ] loop
        execute format('alter function %s owner to recorder_owner', name);
        execute format('revoke execute on function %s from public', name);
        execute format('grant execute on function %s to recorder_owner', name);
    end loop;
    -- The others are bound to what they name when they are made.
    foreach name in array array[
        'refuse_erased(uuid)', 'refuse_after_erasure()', 'refuse_held_delete()', 'begin_erasure(uuid, text, boolean)',
        'begin_due_erasure(uuid, text)', 'hold_user(uuid, text, text)', 'release_user(uuid, text)',
        'append_hold(uuid, text, text)', 'erase_entities(uuid, text)'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;

drop function users_to_erase(int);
grant execute on function refuse_erased(uuid) to recorder_service;
