-- Erasing a person: destroys his keys, blanks what is personal in tables, and keeps counts, costs and latencies. The steps
-- are functions, each safe to run again; `recorder subject erase` runs them one after another and writes down how far it is.

-- Users whose data must stay for now: nothing of theirs is erased, by request or by age, until the hold is released.
create table legal_holds (
    user_id  uuid         primary key,
    reason   text         not null,
    held_by  text         not null,
    held_at  timestamptz  not null default clock_timestamp(),
    constraint legal_holds_reason check (octet_length(reason) between 1 and 1000),
    constraint legal_holds_held_by check (octet_length(held_by) between 1 and 200)
);

-- Erasures, those that are not done yet and their certificates. A person has one at a time under way.
create table erasures (
    id           bigint       generated always as identity primary key,
    subject_id   uuid         not null,
    actor        text         not null,
    started_at   timestamptz  not null default clock_timestamp(),
    finished_at  timestamptz,
    counts       jsonb        not null default '{}',  -- what each step has done so far, by its name
    facts        jsonb        not null default '{}',  -- what was so before, by its name
    certificate  text,
    constraint erasures_actor check (octet_length(actor) between 1 and 200),
    constraint erasures_certificate check ((finished_at is null) = (certificate is null))
);

create unique index erasures_under_way_key on erasures (subject_id) where finished_at is null;
create index erasures_subject_id_idx on erasures (subject_id);

-- The streams that are about a user: his own, and his sessions'.
create function subject_streams(subject uuid) returns setof uuid language sql stable
begin atomic
    select subject
    union
    select stream_id from stream_subjects where subject_id = subject;
end;

-- Refuses what is under a legal hold.
create function refuse_held(subject uuid) returns void language plpgsql stable as $$
begin
    if exists (select from legal_holds where user_id = subject) then
        raise exception 'user % is under a legal hold', subject
            using errcode = 'RC006', hint = 'See `recorder retention holds`; `recorder retention release` ends one.';
    end if;
end
$$;

-- Adds what a step has done to the erasure that is under way.
create function count_erased(subject uuid, done jsonb) returns void language plpgsql volatile as $$
begin
    update erasures
    set counts = counts || (
        select coalesce(jsonb_object_agg(key, coalesce((counts ->> key)::bigint, 0) + value::bigint), '{}')
        from jsonb_each_text(done)
    )
    where subject_id = subject and finished_at is null;
end
$$;

-- Begins an erasure, or takes up the one that is under way.
create function begin_erasure(subject uuid, actor text) returns bigint language plpgsql volatile as $$
declare
    found_id bigint;
begin
    -- Two that begin at once: the second waits for the first, then finds its erasure.
    lock table legal_holds in share mode;
    perform refuse_held(subject);
    select id into found_id from erasures where subject_id = subject and finished_at is null;
    if not found then
        insert into erasures (subject_id, actor) values (subject, actor)
        on conflict (subject_id) where finished_at is null do update set actor = erasures.actor
        returning id into found_id;
    end if;
    return found_id;
end
$$;

-- Destroys the keys of a user and of his streams. A user without one gets one that is destroyed, so that what comes later
-- is dropped.
--
-- Batches that are being folded at this moment may hold what was opened with these keys. Each moves a checkpoint before it
-- writes: the lock waits for those that have, and the others find their checkpoint's row changed since their snapshot and
-- begin again, from one in which the keys are gone. So what is blanked after this stays blank.
create function erase_keys(subject uuid) returns void language plpgsql volatile as $$
declare
    destroyed bigint;
begin
    lock table projection_checkpoints, projection_rebuilds in share row exclusive mode;
    perform refuse_held(subject);
    update subject_keys set wrapped_key = null, destroyed_at = clock_timestamp()
    where subject_id in (select subject_streams(subject)) and destroyed_at is null;
    get diagnostics destroyed = row_count;
    insert into subject_keys (subject_id, wrapped_key, kek_id, destroyed_at)
    values (subject, null, coalesce((select kek_id from sealing), 'none'), clock_timestamp())
    on conflict (subject_id) do nothing;
    update sealing set generation = generation + 1;
    update projection_checkpoints set updated_at = updated_at;
    update projection_rebuilds set updated_at = updated_at;
    perform count_erased(subject, jsonb_build_object('keys', destroyed));
end
$$;

-- Blanks a user's row, models and documents, and appends an event for each that changed. Rows stay, with what is not
-- personal; they are deleted if they were not.
create function erase_entities(subject uuid, actor text) returns void language plpgsql volatile as $$
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

-- Empties a user's caches, in the database and in every process's memory, and the embeddings of everybody: nobody knows
-- whose texts those are.
create function erase_caches(subject uuid) returns void language plpgsql volatile as $$
declare
    cleared bigint;
    buckets bigint;
begin
    perform refuse_held(subject);
    select coalesce(sum("rows"), 0) into cleared
    from (select "rows" from clear_cache(null, subject) union all select "rows" from clear_cache('embedding')) rows;
    delete from rate_limits where user_id = subject;
    get diagnostics buckets = row_count;
    perform count_erased(subject, jsonb_build_object('cache_rows', cleared, 'rate_limits', buckets));
end
$$;

-- Errors of projections may quote what they could not fold.
create function erase_errors(subject uuid) returns void language plpgsql volatile as $$
declare
    live    bigint;
    shadow  bigint;
    shards  bigint;
begin
    update projection_quarantine set error = 'erased'
    where stream_id in (select subject_streams(subject)) and error <> 'erased';
    get diagnostics live = row_count;
    update projection_rebuild_quarantine set error = 'erased'
    where stream_id in (select subject_streams(subject)) and error <> 'erased';
    get diagnostics shadow = row_count;
    update projection_checkpoints set error = 'it failed before an erasure, which took the reason away'
    where error is not null and error not like '%took the reason away';
    get diagnostics shards = row_count;
    perform count_erased(subject, jsonb_build_object('quarantine', live + shadow, 'checkpoint_errors', shards));
end
$$;

-- Opens the cursor export_rows over a query of the program's, whose $1 is the person: DECLARE takes no parameters.
create function open_export(subject uuid, query text) returns refcursor language plpgsql volatile as $$
declare
    export_rows refcursor := 'export_rows';
begin
    open export_rows no scroll for execute format('select row::text from (%s) as rows(row)', query) using subject;
    return export_rows;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array['legal_holds', 'erasures'] loop
        execute format('alter table %I owner to recorder_owner', name);
    end loop;
    foreach name in array array[
        'subject_streams(uuid)', 'refuse_held(uuid)', 'count_erased(uuid, jsonb)', 'begin_erasure(uuid, text)',
        'open_export(uuid, text)', 'erase_keys(uuid)', 'erase_entities(uuid, text)', 'erase_caches(uuid)', 'erase_errors(uuid)'
    ] loop
        execute format('alter function %s owner to recorder_owner', name);
        execute format('revoke execute on function %s from public', name);
        execute format('grant execute on function %s to recorder_owner', name);
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;

-- Whoever erases is a member of recorder_owner, which appends as well.
grant execute on function append_events(jsonb), append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]),
    event_type_id(text) to recorder_owner;
grant select on legal_holds, erasures to recorder_analyst;
alter table legal_holds enable row level security;
alter table erasures enable row level security;
create policy every on legal_holds for select to recorder_analyst using (true);
create policy every on erasures for select to recorder_analyst using (true);
