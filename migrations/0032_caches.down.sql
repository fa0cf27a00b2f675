drop trigger drop_search_results_insert on knowledge_documents;
drop trigger drop_search_results_update on knowledge_documents;
drop trigger drop_search_results_delete on knowledge_documents;
drop trigger drop_search_results_truncate on knowledge_documents;

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
