-- Histograms of latencies, and queries on the read model latency_metrics.
--
-- Bin i holds the values in (1.015^(i−1), 1.015^i] milliseconds, and stands for 2 × 1.015^i / 2.015: whatever
-- lies in it is less than 0.75 % away. Zero and less have a bin of their own, the lowest. Bins are counted
-- exactly, so histograms add up in any order (DDSketch, Masson et al. 2019, has the proof). A histogram is
-- kept as two arrays, bins ascending and how many values are in each.
--
-- The queries read the view latency_metrics_parts and find it when they run: it may be created later, and
-- replaced by another version of the projection.

-- The bin of a latency.
create function latency_bin(ms double precision) returns smallint language sql immutable strict parallel safe as $$
    select case when ms > 0 then greatest(-32767, least(32767, ceil(ln(ms) / 0.014888612493750637)))::smallint
                else '-32768'::smallint end
$$;

-- The latency that a bin stands for.
create function latency_of_bin(bin int) returns double precision language sql immutable strict parallel safe as $$
    select case when bin > -32768 then exp(bin * 0.014888612493750637) * (2 / 2.015::double precision) else 0 end
$$;

-- Arrays one after the other; with unnest and a sum by bin this is how histograms merge.
create aggregate array_concat(anycompatiblearray) (
    sfunc = array_cat, stype = anycompatiblearray, initcond = '{}', parallel = safe
);

-- A histogram as JSON, bin → count; the same bin may occur several times in the arrays.
create function latency_histogram(bins smallint[], counts bigint[]) returns jsonb
language sql immutable strict parallel safe as $$
    select coalesce(jsonb_object_agg(bin, n), '{}')
    from (select bin, sum(n) as n from unnest(bins, counts) as u(bin, n) group by bin) merged
$$;

-- The percentile of a histogram as percentile_cont defines it: between the estimates of the two ranks next
-- to it. The outermost ranks are known exactly, and no estimate lies beyond them.
create function latency_histogram_percentile(
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

-- What was measured of a stage in [from, to): whole days from the days, whole hours beside them from the
-- hours, and the minutes at the edges. Ends are rounded up to minutes. NULL for a provider or model means any.
create function latency_summary(
    stage text, "from" timestamptz, "to" timestamptz, provider text default null, model text default null
) returns table (
    count bigint, sum_ms double precision, min_ms double precision, max_ms double precision,
    bins smallint[], counts bigint[]
) language plpgsql stable parallel safe set search_path from current as $$
#variable_conflict use_column
declare
    of_stage     text := latency_summary.stage;
    of_provider  text := latency_summary.provider;
    of_model     text := latency_summary.model;
    since        timestamptz := coalesce("from", '-infinity');
    until        timestamptz := coalesce("to", 'infinity');
    hours_since  timestamptz;
    hours_until  timestamptz := date_trunc('hour', until, 'UTC');
    days_since   timestamptz;
    days_until   timestamptz := date_trunc('day', until, 'UTC');
begin
    -- date_trunc rounds down: up it goes by a step, where it did not stand on one.
    hours_since := date_trunc('hour', since, 'UTC');
    hours_since := case when hours_since < since then hours_since + interval '1 hour' else since end;
    days_since := date_trunc('day', since, 'UTC');
    days_since := case when days_since < since then days_since + interval '24 hours' else since end;
    if hours_since >= hours_until then
        hours_since := until;
        hours_until := until;
        days_since := until;
        days_until := until;
    elsif days_since >= days_until then
        days_since := hours_until;
        days_until := hours_until;
    end if;

    return query
        select sum(part.count)::bigint, sum(part.sum_ms)::double precision, min(part.min_ms)::double precision,
               max(part.max_ms)::double precision, array_concat(part.bins), array_concat(part.counts)
        from (
            select * from latency_metrics_parts
            where resolution = 'day' and bucket_start >= days_since and bucket_start < days_until
            union all
            select * from latency_metrics_parts
            where resolution = 'hour' and bucket_start >= hours_since and bucket_start < days_since
            union all
            select * from latency_metrics_parts
            where resolution = 'hour' and bucket_start >= days_until and bucket_start < hours_until
            union all
            select * from latency_metrics_parts
            where resolution = 'minute' and bucket_start >= since and bucket_start < hours_since
            union all
            select * from latency_metrics_parts
            where resolution = 'minute' and bucket_start >= hours_until and bucket_start < until
        ) part
        where part.stage = of_stage
          and (of_provider is null or part.provider = of_provider)
          and (of_model is null or part.model = of_model);
end
$$;

-- The percentile p (0 … 1) of a stage's latency in [from, to), in milliseconds, within 1 % of the exact one.
-- NULL where nothing was measured.
create function latency_percentile(
    stage text, p double precision, "from" timestamptz, "to" timestamptz,
    provider text default null, model text default null
) returns double precision language plpgsql stable parallel safe set search_path from current as $$
begin
    if p is null or not p between 0 and 1 then
        raise exception 'a percentile is asked for as a number from 0 to 1, not %', p
            using errcode = 'invalid_parameter_value';
    end if;
    return (
        select latency_histogram_percentile(s.bins, s.counts, p, s.min_ms, s.max_ms)
        from latency_summary(stage, "from", "to", provider, model) s
    );
end
$$;

-- A stage's latency in steps from `from` to before `to`: a row for each step, also where nothing was
-- measured (count 0, the rest NULL). Days are 24 hours: no summer time here.
create function latency_series(
    stage text, "from" timestamptz, "to" timestamptz, step interval,
    provider text default null, model text default null
) returns table (
    bucket_start timestamptz, count bigint, mean_ms double precision, min_ms double precision, max_ms double precision,
    p50_ms double precision, p95_ms double precision, p99_ms double precision
) language plpgsql stable parallel safe set search_path from current set timezone to 'UTC' as $$
begin
    if step < interval '1 minute' then
        raise exception 'the shortest step is a minute, not %', step using errcode = 'invalid_parameter_value';
    elsif not (isfinite("from") and isfinite("to")) then
        raise exception 'a series has two ends: from % to %', "from", "to" using errcode = 'invalid_parameter_value';
    end if;
    return query
        select at, coalesce(s.count, 0), s.sum_ms / s.count, s.min_ms, s.max_ms,
               latency_histogram_percentile(s.bins, s.counts, 0.5, s.min_ms, s.max_ms),
               latency_histogram_percentile(s.bins, s.counts, 0.95, s.min_ms, s.max_ms),
               latency_histogram_percentile(s.bins, s.counts, 0.99, s.min_ms, s.max_ms)
        from generate_series("from", "to", step) at
        cross join lateral latency_summary(stage, at, least(at + step, "to"), provider, model) s
        where at < "to"
        order by at;
end
$$;
