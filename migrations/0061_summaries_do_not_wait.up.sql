-- Whoever began to read the log from far behind waited for a VACUUM of one of its partitions, or cut an automatic one off.

-- Brings the summaries of positions up to date, so that who reads from far behind reads only what it needs. VACUUM does the
-- same; what is new since then is read whole with every span. A partition that somebody works on is passed over: that is
-- VACUUM, or another who brings it up to date. Returns how many ranges of blocks it summarized.
create or replace function summarize_events() returns bigint language plpgsql volatile security definer as $$
declare
    summary    record;
    summarized bigint := 0;
begin
    if pg_is_in_recovery() then
        return 0;
    end if;
    for summary in
        select indrelid::regclass as partition, indexrelid::regclass as index
        from pg_partition_tree('events') join pg_index on indrelid = relid
        join pg_class on pg_class.oid = indexrelid join pg_am on pg_am.oid = relam
        where isleaf and amname = 'brin'
    loop
        begin
            execute format('lock table only %s in share update exclusive mode nowait', summary.partition);
            summarized := summarized + brin_summarize_new_values(summary.index);
        exception when lock_not_available then
            null;
        end;
    end loop;
    return summarized;
end
$$;

do $$
begin
    execute format('alter function summarize_events() set search_path = %I, pg_temp', current_schema());
end
$$;
