-- A histogram in which each bin stands once, as two functions, one for each of its arrays: a projection that calls them only
-- when arrays have grown long does not prepare that query for every value that it adds. Both give the bins ascending.
create function latency_bins_merged(bins smallint[]) returns smallint[] language sql immutable strict parallel safe as $$
    select array_agg(distinct bin order by bin) from unnest(bins) as u(bin)
$$;

create function latency_counts_merged(bins smallint[], counts bigint[]) returns bigint[]
language sql immutable strict parallel safe as $$
    select array_agg(n order by bin)
    from (select bin, sum(n)::bigint as n from unnest(bins, counts) as u(bin, n) group by bin) merged
$$;
