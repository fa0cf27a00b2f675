-- Caches that all processes share, behind the memory of each. Whatever lies here was computed and can be
-- computed again, so the tables are unlogged: no WAL, nothing of a person's words in a backup's log or on a
-- standby, and a crash empties them.
--
-- Keys are SHA-256 of everything that the value depends on. A row is served while it has not expired and while
-- its generation is the current one: whoever computes a value reads the generation first and stores the value
-- under it, so what was computed from documents that have changed meanwhile is stored in vain and never served.

create sequence cache_generation cache 1;

-- What has made cached values stale: the current generation of a user's values of one kind is the greatest of
-- the user's row and of the row of user 0, which stands for all. Logged, unlike the caches: a generation must
-- not be given twice. A row is swept when nobody can still be computing from what it made stale.
create table cache_generations (
    kind        text        not null,
    user_id     uuid        not null,
    generation  bigint      not null,
    changed_at  timestamptz not null,
    primary key (user_id, kind)
);

-- Vectors of texts. They belong to nobody: a row has no text, and is found only by who has the text.
create unlogged table embedding_cache (
    key         bytea       not null primary key,
    model       text        not null,
    embedding   float4[]    not null,
    generation  bigint      not null,
    hit_count   bigint      not null default 0,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    constraint embedding_cache_key check (octet_length(key) = 32),
    constraint embedding_cache_embedding check (array_ndims(embedding) = 1 and array_position(embedding, null) is null)
) with (fillfactor = 80);

-- Floats do not compress: do not try. Aside, so that counting a hit does not write the vector again.
alter table embedding_cache alter column embedding set storage external;

-- What a search among a user's documents found: parallel arrays, an element a match, best first.
create unlogged table vector_search_cache (
    user_id       uuid        not null,
    key           bytea       not null,
    document_ids  uuid[]      not null,
    chunks        int[]       not null,
    scores        float4[]    not null,
    texts         text[]      not null,
    generation    bigint      not null,
    hit_count     bigint      not null default 0,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz not null,
    primary key (user_id, key),
    constraint vector_search_cache_key check (octet_length(key) = 32),
    constraint vector_search_cache_matches check (
        cardinality(chunks) = cardinality(document_ids) and cardinality(scores) = cardinality(document_ids)
        and cardinality(texts) = cardinality(document_ids))
) with (fillfactor = 80);

-- What a language model answered to a user's prompt. Never shared between users: a prompt holds the user's words.
create unlogged table llm_response_cache (
    user_id        uuid        not null,
    key            bytea       not null,
    model          text        not null,
    response       text        not null,
    input_tokens   bigint,
    output_tokens  bigint,
    generation     bigint      not null,
    hit_count      bigint      not null default 0,
    created_at     timestamptz not null default now(),
    expires_at     timestamptz not null,
    primary key (user_id, key),
    constraint llm_response_cache_key check (octet_length(key) = 32)
) with (fillfactor = 80);

-- For the sweep. No index on hit_count: counting a hit then stays within the page.
create index embedding_cache_expires_at_idx on embedding_cache (expires_at);
create index vector_search_cache_expires_at_idx on vector_search_cache (expires_at);
create index llm_response_cache_expires_at_idx on llm_response_cache (expires_at);

-- What each process's caches did since it started, as it last said.
create unlogged table cache_statistics (
    process      uuid        not null,
    kind         text        not null,
    name         text        not null,  -- of the process, such as host:4711
    memory_hits  bigint      not null,
    table_hits   bigint      not null,
    misses       bigint      not null,
    joined       bigint      not null,  -- waited for a value that another task was computing
    refreshed    bigint      not null,  -- computed anew before they expired
    evicted      bigint      not null,
    failed       bigint      not null,  -- times that the tables could not be used
    entries      bigint      not null,
    bytes        bigint      not null,
    started_at   timestamptz not null,
    reported_at  timestamptz not null default clock_timestamp(),
    primary key (process, kind)
) with (fillfactor = 50);

alter sequence cache_generation owner to recorder_owner;
alter table cache_generations owner to recorder_owner;
alter table embedding_cache owner to recorder_owner;
alter table vector_search_cache owner to recorder_owner;
alter table llm_response_cache owner to recorder_owner;
alter table cache_statistics owner to recorder_owner;

-- The owner sees all rows, for the functions below; who acts for a user sees that user's, who says nothing none.
alter table cache_generations enable row level security;
alter table vector_search_cache enable row level security;
alter table llm_response_cache enable row level security;

create policy own on cache_generations for select to recorder_service
    using (user_id in ((select acting_user()), '00000000-0000-0000-0000-000000000000'));
create policy own on vector_search_cache to recorder_service
    using (user_id = (select acting_user())) with check (user_id = (select acting_user()));
create policy own on llm_response_cache to recorder_service
    using (user_id = (select acting_user())) with check (user_id = (select acting_user()));

-- EXPLAIN tells how many rows the planner expects, from samples of everybody's values. Of these it keeps none.
alter table cache_generations alter user_id set statistics 0;
alter table vector_search_cache alter user_id set statistics 0, alter key set statistics 0,
    alter document_ids set statistics 0, alter texts set statistics 0;
alter table llm_response_cache alter user_id set statistics 0, alter key set statistics 0,
    alter response set statistics 0;

grant select on cache_generations to recorder_service;
grant select, insert, update, delete on embedding_cache, vector_search_cache, llm_response_cache to recorder_service;
grant select, insert, update on cache_statistics to recorder_service;
grant select on cache_statistics to recorder_analyst;

-- The caches; each has a table of its name and `_cache`.
create function cache_kinds() returns text[] language sql immutable parallel safe
return array['embedding', 'vector_search', 'llm_response'];

-- Empties the caches of one kind, or of all, of one user, or of all. Returns how many rows went, by kind.
--
-- Other processes drop what they hold in memory when this commits; the channel's name is the schema's and
-- `_cache`, the payload the kind and the user, `*` for all. Embeddings belong to no user.
create function clear_cache(kind text default null, "user" uuid default null)
returns table (cleared text, "rows" bigint)
language plpgsql volatile set search_path from current as $$
begin
    if kind <> all (cache_kinds()) then
        raise exception 'there is no cache of kind %', quote_literal(kind)
            using errcode = 'invalid_parameter_value', hint = 'Take embedding, vector_search or llm_response.';
    elsif kind = 'embedding' and "user" is not null then
        raise exception 'embeddings belong to no user'
            using errcode = 'invalid_parameter_value', hint = 'Clear all embeddings, or another kind.';
    end if;

    -- First the generations, which lock: who comes behind waits here. Always in the same order.
    insert into cache_generations as g (kind, user_id, generation, changed_at)
    select k, coalesce("user", '00000000-0000-0000-0000-000000000000'), nextval('cache_generation'), clock_timestamp()
    from unnest(cache_kinds()) as k
    where k = coalesce(clear_cache.kind, k) and not (k = 'embedding' and "user" is not null)
    order by k
    on conflict on constraint cache_generations_pkey do update
    set generation = nextval('cache_generation'), changed_at = excluded.changed_at;

    foreach cleared in array cache_kinds() loop
        continue when cleared <> coalesce(kind, cleared) or (cleared = 'embedding' and "user" is not null);
        execute format('delete from %I', cleared || '_cache') || case when "user" is null then '' else ' where user_id = $1' end
            using "user";
        get diagnostics "rows" = row_count;
        return next;
    end loop;

    perform pg_notify(current_schema() || '_cache', coalesce(kind, '*') || ' ' || coalesce("user"::text, '*'));
end
$$;

-- Deletes what has expired, at most `batch` rows a table, and passes by what others hold. Call it until it
-- returns less than `batch` of each.
create function sweep_caches(batch int default 1000) returns table (swept text, "rows" bigint)
language plpgsql volatile security definer set search_path from current as $$
begin
    foreach swept in array cache_kinds() loop
        execute format('delete from %1$I where ctid = any (array('
                       ' select ctid from %1$I where expires_at <= now() order by expires_at limit $1 for update skip locked))',
                       swept || '_cache') using batch;
        get diagnostics "rows" = row_count;
        return next;
    end loop;

    -- Nobody computes a value for a day.
    delete from cache_generations where ctid = any (array(
        select g.ctid from cache_generations g where g.changed_at < now() - interval '1 day'
        limit batch for update skip locked));
    delete from cache_statistics s where s.reported_at < now() - interval '1 day';
end
$$;

-- Adds to the hit counts of rows, given as parallel arrays; `users` is ignored for embeddings. Rows that others
-- hold are passed by: a count that is a little low does no harm.
create function count_cache_hits(kind text, users uuid[], keys bytea[], hits bigint[]) returns void
language plpgsql volatile security definer set search_path from current as $$
begin
    -- Else a caller's temporary table might be what is updated, with this function's owner's rights.
    if (kind = any (cache_kinds())) is not true then
        raise exception 'there is no cache of kind %', quote_literal(kind) using errcode = 'invalid_parameter_value';
    end if;

    execute format(
        'with hit as ('
        '    select c.ctid as place, u.hits from unnest($1, $2, $3) as u(user_id, key, hits) join %1$I c using (%2$s)'
        '    for update of c skip locked'
        ') update %1$I c set hit_count = c.hit_count + hit.hits from hit where c.ctid = hit.place',
        kind || '_cache', case kind when 'embedding' then 'key' else 'user_id, key' end
    ) using users, keys, hits;
end
$$;

-- How much lies in the tables. Counts only, of all users together.
create function cache_table_figures() returns table (
    kind text, "rows" bigint, expired bigint, hits bigint, bytes bigint, oldest timestamptz, newest timestamptz
) language plpgsql stable security definer set search_path from current as $$
begin
    foreach kind in array cache_kinds() loop
        return query execute format(
            'select $1, count(*), count(*) filter (where expires_at <= now()), coalesce(sum(hit_count), 0)::bigint,'
            ' pg_total_relation_size(%1$L), min(created_at), max(created_at) from %1$I',
            kind || '_cache') using kind;
    end loop;
end
$$;

-- A change of documents drops what searches among them found, for every user whose documents changed.
--
-- The NOTIFY is sent inside the transaction, unlike an append's: it has to come with the commit or not at all,
-- and documents change seldom.
create function drop_search_results() returns trigger
language plpgsql volatile security definer set search_path from current as $$
declare
    changed uuid;
begin
    if tg_op = 'TRUNCATE' then
        perform clear_cache('vector_search');
    elsif tg_op = 'INSERT' then
        for changed in select distinct user_id from new_documents order by 1 loop
            perform clear_cache('vector_search', changed);
        end loop;
    elsif tg_op = 'DELETE' then
        for changed in select distinct user_id from old_documents order by 1 loop
            perform clear_cache('vector_search', changed);
        end loop;
    else
        for changed in select user_id from old_documents union select user_id from new_documents order by 1 loop
            perform clear_cache('vector_search', changed);
        end loop;
    end if;
    return null;
end
$$;

-- Makes changes of a table of documents, which has a column user_id, drop those users' search results.
create function watch_documents(documents regclass) returns void language plpgsql set search_path from current as $$
begin
    execute format('create trigger drop_search_results_insert after insert on %s'
                   ' referencing new table as new_documents for each statement execute function drop_search_results()',
                   documents);
    execute format('create trigger drop_search_results_update after update on %s'
                   ' referencing old table as old_documents new table as new_documents'
                   ' for each statement execute function drop_search_results()', documents);
    execute format('create trigger drop_search_results_delete after delete on %s'
                   ' referencing old table as old_documents for each statement execute function drop_search_results()',
                   documents);
    execute format('create trigger drop_search_results_truncate after truncate on %s'
                   ' for each statement execute function drop_search_results()', documents);
end
$$;

alter function cache_kinds() owner to recorder_owner;
alter function clear_cache(text, uuid) owner to recorder_owner;
alter function sweep_caches(int) owner to recorder_owner;
alter function count_cache_hits(text, uuid[], bytea[], bigint[]) owner to recorder_owner;
alter function cache_table_figures() owner to recorder_owner;
alter function drop_search_results() owner to recorder_owner;
alter function watch_documents(regclass) owner to recorder_owner;

revoke execute on function clear_cache(text, uuid), sweep_caches(int), cache_table_figures(), watch_documents(regclass),
    count_cache_hits(text, uuid[], bytea[], bigint[]), drop_search_results() from public;
grant execute on function sweep_caches(int), count_cache_hits(text, uuid[], bytea[], bigint[]) to recorder_service;
grant execute on function cache_table_figures() to recorder_analyst;

do $$
declare
    definer text;
begin
    -- A function that runs with its owner's rights must not find a caller's temporary tables before ours.
    foreach definer in array array['sweep_caches(int)', 'cache_table_figures()', 'drop_search_results()',
                                   'count_cache_hits(text, uuid[], bytea[], bigint[])', 'clear_cache(text, uuid)'] loop
        execute format('alter function %s set search_path = %I, pg_temp', definer, current_schema());
    end loop;

    perform watch_documents('knowledge_documents');
end
$$;
