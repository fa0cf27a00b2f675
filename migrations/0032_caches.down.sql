do $$
begin
    if to_regclass('knowledge_documents') is not null then
        drop trigger drop_search_results_insert on knowledge_documents;
        drop trigger drop_search_results_update on knowledge_documents;
        drop trigger drop_search_results_delete on knowledge_documents;
        drop trigger drop_search_results_truncate on knowledge_documents;
    end if;
end
$$;

drop function watch_documents(regclass);
drop function drop_search_results();
drop function cache_table_figures();
drop function count_cache_hits(text, uuid[], bytea[], bigint[]);
drop function sweep_caches(int);
drop function clear_cache(text, uuid);
drop function cache_kinds();
drop table cache_statistics;
drop table llm_response_cache;
drop table vector_search_cache;
drop table embedding_cache;
drop table cache_generations;
drop sequence cache_generation;

-- What other migrations use too goes only if none does. The role stays: it is the cluster's.
do $$
begin
    drop function acting_user();
    execute format('revoke all on schema %I from recorder_service', current_schema());
exception
    when dependent_objects_still_exist then null;
end
$$;
