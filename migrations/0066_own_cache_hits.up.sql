-- Hits were counted in anybody's rows, by any number: a service could find out which keys another user has, and have the sum of a
-- table overflow, with which the caches' figures were gone.

-- Counts hits of values that were served from memory: of the acting user's rows, and of embeddings, which are nobody's.
-- Rows that are locked are passed over, for it is only a count; a hit count is at least 1, and more than a million at once is
-- a million.
create or replace function count_cache_hits(kind text, users uuid[], keys bytea[], hits bigint[]) returns void
language plpgsql volatile security definer as $$
begin
    -- Else a caller's temporary table might be what is updated, with this function's owner's rights.
    if (kind = any (cache_kinds())) is not true then
        raise exception 'there is no cache of kind %', quote_literal(kind) using errcode = 'invalid_parameter_value';
    end if;

    execute format(
        'with hit as ('
        '    select c.ctid as place, least(u.hits, 1000000) as hits'
        '    from unnest($1, $2, $3) as u(user_id, key, hits) join %1$I c using (%2$s)'
        '    where u.hits > 0%3$s'
        '    for update of c skip locked'
        ') update %1$I c set hit_count = least(c.hit_count, 9000000000000000000) + hit.hits from hit where c.ctid = hit.place',
        kind || '_cache', case kind when 'embedding' then 'key' else 'user_id, key' end,
        case kind when 'embedding' then '' else ' and user_id = (select acting_user())' end
    ) using users, keys, hits;
end
$$;

-- How much lies in the tables. Counts only, of all users together. A service may write into its rows what it wants: a sum that no
-- bigint holds is the largest that one holds.
create or replace function cache_table_figures() returns table (
    kind text, "rows" bigint, expired bigint, hits bigint, bytes bigint, oldest timestamptz, newest timestamptz
) language plpgsql stable security definer as $$
begin
    foreach kind in array cache_kinds() loop
        return query execute format(
            'select $1, count(*), count(*) filter (where expires_at <= now()),'
            ' least(coalesce(sum(hit_count), 0), 9223372036854775807)::bigint,'
            ' pg_total_relation_size(%1$L), min(created_at), max(created_at) from %1$I',
            kind || '_cache') using kind;
    end loop;
end
$$;

do $$
begin
    execute format('alter function count_cache_hits(text, uuid[], bytea[], bigint[]) set search_path = %I, pg_temp',
                   current_schema());
    execute format('alter function cache_table_figures() set search_path = %I, pg_temp', current_schema());
end
$$;
