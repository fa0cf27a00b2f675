-- An answer that was being computed while its person's caches were cleared was stored behind them, and so was whatever a service
-- asked for in his name later.

-- Refuses to cache anything of an erased person. Of another than the acting user it says nothing: row security refuses to write
-- about him.
create function refuse_cached_of_erased() returns trigger language plpgsql volatile security definer as $$
begin
    if new.user_id = acting_user() and exists (select from erasures where subject_id = new.user_id) then
        raise exception 'user % is erased, and nothing is stored about him any more', new.user_id using errcode = 'RC007';
    end if;
    return new;
end
$$;

create trigger refuse_cached_of_erased before insert on llm_response_cache
    for each row execute function refuse_cached_of_erased();
create trigger refuse_cached_of_erased before insert on vector_search_cache
    for each row execute function refuse_cached_of_erased();

delete from llm_response_cache where user_id in (select subject_id from erasures);
delete from vector_search_cache where user_id in (select subject_id from erasures);

-- Clears what is cached of a person, and the embeddings of everybody. Embeddings first: there one erasure waits for another, and
-- holds nothing yet that the other waits for.
create or replace function erase_caches(subject uuid) returns void language plpgsql volatile as $$
declare
    answers  bigint;
    searches bigint;
    cleared  bigint;
    buckets  bigint;
begin
    perform refuse_held(subject);
    select coalesce(sum("rows"), 0) into cleared
    from (select "rows" from clear_cache('embedding') union all select "rows" from clear_cache(null, subject)) rows;
    -- What is being stored is waited for, and goes as well; what comes later finds the erasure.
    lock table llm_response_cache, vector_search_cache in share row exclusive mode;
    delete from llm_response_cache where user_id = subject;
    get diagnostics answers = row_count;
    delete from vector_search_cache where user_id = subject;
    get diagnostics searches = row_count;
    delete from rate_limits where user_id = subject;
    get diagnostics buckets = row_count;
    perform count_erased(subject, jsonb_build_object('cache_rows', cleared + answers + searches, 'rate_limits', buckets));
end
$$;

alter function refuse_cached_of_erased() owner to recorder_owner;
revoke execute on function refuse_cached_of_erased() from public;

do $$
begin
    execute format('alter function refuse_cached_of_erased() set search_path = %I, pg_temp', current_schema());
    execute format('alter function erase_caches(uuid) set search_path = %I, pg_temp', current_schema());
end
$$;
