create or replace function latency_summary(
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
    since        timestamptz := date_trunc('minute', coalesce("from", '-infinity'), 'UTC');
    until        timestamptz := date_trunc('minute', coalesce("to", 'infinity'), 'UTC');
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

create or replace function latency_series(
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
        select date_trunc('minute', at, 'UTC'), coalesce(s.count, 0), s.sum_ms / s.count, s.min_ms, s.max_ms,
               latency_histogram_percentile(s.bins, s.counts, 0.5, s.min_ms, s.max_ms),
               latency_histogram_percentile(s.bins, s.counts, 0.95, s.min_ms, s.max_ms),
               latency_histogram_percentile(s.bins, s.counts, 0.99, s.min_ms, s.max_ms)
        from generate_series(date_trunc('minute', "from", 'UTC'), "to", step) at
        cross join lateral latency_summary(stage, at, least(at + step, "to"), provider, model) s
        where at < date_trunc('minute', "to", 'UTC')
        order by at;
end
$$;

drop function latency_summary_of_parts(text, timestamptz, timestamptz, text, text);
drop function latency_minutes_must_be_there(text, timestamptz[], text, text);
