create or replace function summarize_events() returns bigint language sql volatile security definer as $$
    select case when pg_is_in_recovery() then 0 else (
        select coalesce(sum(brin_summarize_new_values(indexrelid)), 0)::bigint
        from pg_partition_tree('events') join pg_index on indrelid = relid
        join pg_class on pg_class.oid = indexrelid join pg_am on pg_am.oid = relam
        where isleaf and amname = 'brin'
    ) end
$$;

do $$
begin
    execute format('alter function summarize_events() set search_path = %I, pg_temp', current_schema());
end
$$;
