-- All latencies of zero and less shared one bin, which stands for 0: of negative ones, as of an answer that begins before the
-- user has ended, every percentile but the outermost was the largest. They have bins of their own now, the mirror of the
-- others: bin -24576 - i holds the values in [-1.015^i, -1.015^(i-1)), from -1e53 to -1e-53 ms. Those of positive values stay what
-- they were, from 1e-106 to 1e211 ms; what lies beyond is counted in the outermost bin, whose percentiles are no longer within
-- 1 %. Histograms that were stored with latencies below zero get them by `recorder projections rebuild latency_metrics`.

-- The bin of a latency.
create or replace function latency_bin(ms double precision) returns smallint language sql immutable parallel safe as $$
    select case when ms > 0 then greatest(-16383, least(32767, ceil(ln(ms) / 0.014888612493750637)))::smallint
                when ms < 0 then (-24576 - greatest(-8191, least(8191, ceil(ln(-ms) / 0.014888612493750637))))::smallint
                when ms = 0 then '-32768'::smallint end
$$;

-- The latency that a bin stands for.
create or replace function latency_of_bin(bin int) returns double precision
language sql immutable strict parallel safe as $$
    select case when bin > -16384 then exp(bin * 0.014888612493750637) * (2 / 2.015::double precision)
                when bin > -32768 then exp((-24576 - bin) * 0.014888612493750637) * (-2 / 2.015::double precision)
                else 0 end
$$;

-- The percentile of a histogram as percentile_cont defines it: between the estimates of the two ranks next to it. The
-- outermost ranks are known exactly, and no estimate lies beyond them. Bins are in the order of what they stand for.
create or replace function latency_histogram_percentile(
    bins smallint[], counts bigint[], p double precision, min_ms double precision, max_ms double precision
) returns double precision language sql immutable parallel safe as $$
    with merged as (
        select latency_of_bin(bin) as ms, sum(n) as n from unnest(bins, counts) as u(bin, n) group by bin
    ), ranked as (
        select ms, sum(n) over (order by ms) as upto, sum(n) over () as total from merged
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
