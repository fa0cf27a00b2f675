create or replace function latency_bin(ms double precision) returns smallint language sql immutable parallel safe as $$
    select case when ms > 0 then greatest(-32767, least(32767, ceil(ln(ms) / 0.014888612493750637)))::smallint
                when ms <= 0 then '-32768'::smallint end
$$;

create or replace function latency_of_bin(bin int) returns double precision language sql immutable strict parallel safe as $$
    select case when bin > -32768 then exp(bin * 0.014888612493750637) * (2 / 2.015::double precision) else 0 end
$$;

create or replace function latency_histogram_percentile(
    bins smallint[], counts bigint[], p double precision, min_ms double precision, max_ms double precision
) returns double precision language sql immutable parallel safe as $$
    with merged as (
        select bin, sum(n) as n from unnest(bins, counts) as u(bin, n) group by bin
    ), ranked as (
        select latency_of_bin(bin) as ms, sum(n) over (order by bin) as upto, sum(n) over () as total from merged
    ), wanted as (
        select distinct total - 1 as last, p * (total - 1)::double precision as rank from ranked
    ), found as (
        select rank - floor(rank) as share, (
            select case when floor(rank) = 0 then min_ms
                        when floor(rank) = last then max_ms
                        else greatest(min_ms, least(max_ms, min(ms))) end
            from ranked where upto > floor(rank)
        ) as low, (
            select case when ceil(rank) = 0 then min_ms
                        when ceil(rank) = last then max_ms
                        else greatest(min_ms, least(max_ms, min(ms))) end
            from ranked where upto > ceil(rank)
        ) as high
        from wanted
    )
    select low + (high - low) * share from found
$$;
