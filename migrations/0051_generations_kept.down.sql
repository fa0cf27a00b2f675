create or replace function sweep_caches(batch int default 1000) returns table (swept text, "rows" bigint)
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

do $$
begin
    execute format('alter function sweep_caches(int) set search_path = %I, pg_temp', current_schema());
end
$$;
