create or replace function count_cache_hits(kind text, users uuid[], keys bytea[], hits bigint[]) returns void
language plpgsql volatile security definer as $$
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

create or replace function cache_table_figures() returns table (
    kind text, "rows" bigint, expired bigint, hits bigint, bytes bigint, oldest timestamptz, newest timestamptz
) language plpgsql stable security definer as $$
begin
    foreach kind in array cache_kinds() loop
        return query execute format(
            'select $1, count(*), count(*) filter (where expires_at <= now()), coalesce(sum(hit_count), 0)::bigint,'
            ' pg_total_relation_size(%1$L), min(created_at), max(created_at) from %1$I',
            kind || '_cache') using kind;
    end loop;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'count_cache_hits(text, uuid[], bytea[], bigint[])',
        'cache_table_figures()'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;
