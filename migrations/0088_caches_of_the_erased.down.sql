drop trigger refuse_cached_of_erased on llm_response_cache;
drop trigger refuse_cached_of_erased on vector_search_cache;
drop function refuse_cached_of_erased();

create or replace function erase_caches(subject uuid) returns void language plpgsql volatile as $$
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

do $$
begin
    execute format('alter function erase_caches(uuid) set search_path = %I, pg_temp', current_schema());
end
$$;
