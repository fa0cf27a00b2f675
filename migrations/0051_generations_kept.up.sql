-- The sweep took rows of cache_generations after a day, although a cached value may live longer.

-- Deletes what has expired, at most `batch` rows a table, and passes by what others hold. Call it until it
-- returns less than `batch` of each.
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

    -- The current generation of a user's values of one kind must not go down while one of them is there: a stale one
    -- would become current again, and one that was current could be neither found nor replaced. Nobody computes a value
    -- for a day.
    foreach swept in array cache_kinds() loop
        execute format('delete from cache_generations where ctid = any (array('
                       ' select g.ctid from cache_generations g'
                       ' where g.kind = $1 and g.changed_at < now() - interval ''1 day'' and %2$s'
                       ' and (g.user_id <> ''00000000-0000-0000-0000-000000000000'' or not exists (select from %1$I))'
                       ' limit $2 for update skip locked))',
                       swept || '_cache',
                       case swept when 'embedding' then 'true'
                           else format('not exists (select from %I c where c.user_id = g.user_id)', swept || '_cache') end)
            using swept, batch;
    end loop;

    delete from cache_statistics s where s.reported_at < now() - interval '1 day';
end
$$;
