-- Hours outlive their minutes, and a range that cut such an hour was answered from the minutes that were left: with too little,
-- or with nothing, and without a word.

-- Refuses to take apart hours whose minutes were deleted: those of `hours` whose own rows have counted more than the rows of
-- their minutes.
create function latency_minutes_must_be_there(stage text, hours timestamptz[], provider text, model text) returns void
language plpgsql stable parallel safe as $$
#variable_conflict use_column
declare
    of_stage     text := latency_minutes_must_be_there.stage;
    of_provider  text := latency_minutes_must_be_there.provider;
    of_model     text := latency_minutes_must_be_there.model;
    since        timestamptz := (select min(hour) from unnest(hours) hour);
    until        timestamptz := (select max(hour) + interval '1 hour' from unnest(hours) hour);
    lacking      timestamptz;
begin
    if since is null then
        return;
    end if;
    select max(hour) into lacking
    from (
        select date_trunc('hour', part.bucket_start, 'UTC') as hour
        from latency_metrics_parts part
        where part.resolution in ('hour', 'minute') and part.bucket_start >= since and part.bucket_start < until
          and date_trunc('hour', part.bucket_start, 'UTC') = any(hours)
          and part.stage = of_stage
          and (of_provider is null or part.provider = of_provider)
          and (of_model is null or part.model = of_model)
        group by 1
        having sum(part.count) filter (where part.resolution = 'hour')
             > coalesce(sum(part.count) filter (where part.resolution = 'minute'), 0)
    ) incomplete;
    if lacking is not null then
        raise exception 'minutes before % were deleted, and only whole hours are left: let ranges and steps begin and end there with the hour (UTC)',
            to_char((lacking + interval '1 hour') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;

-- What latency_summary (0056) gives, without asking whether the minutes are there.
create function latency_summary_of_parts(
    stage text, "from" timestamptz, "to" timestamptz, provider text default null, model text default null
) returns table (
    count bigint, sum_ms double precision, min_ms double precision, max_ms double precision,
    bins smallint[], counts bigint[]
) language plpgsql stable parallel safe as $$
#variable_conflict use_column
declare
    of_stage     text := latency_summary_of_parts.stage;
    of_provider  text := latency_summary_of_parts.provider;
    of_model     text := latency_summary_of_parts.model;
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

-- What was measured of a stage in [from, to): whole days from the days, whole hours beside them from the hours, and the
-- minutes at the edges, which must be there. NULL for a provider or model means any.
create or replace function latency_summary(
    stage text, "from" timestamptz, "to" timestamptz, provider text default null, model text default null
) returns table (
    count bigint, sum_ms double precision, min_ms double precision, max_ms double precision,
    bins smallint[], counts bigint[]
) language plpgsql stable parallel safe as $$
#variable_conflict use_column
declare
    since  timestamptz := date_trunc('minute', coalesce("from", '-infinity'), 'UTC');
    until  timestamptz := date_trunc('minute', coalesce("to", 'infinity'), 'UTC');
begin
    if since < until then
        perform latency_minutes_must_be_there(
            latency_summary.stage,
            array(select date_trunc('hour', edge, 'UTC') from unnest(array[since, until]) edge
                  where edge <> date_trunc('hour', edge, 'UTC')),
            latency_summary.provider, latency_summary.model
        );
    end if;
    return query
        select part.* from latency_summary_of_parts(
            latency_summary.stage, since, until, latency_summary.provider, latency_summary.model
        ) part;
end
$$;

-- The same in equal steps. Whether the minutes are there is asked once for all of them.
create or replace function latency_series(
    stage text, "from" timestamptz, "to" timestamptz, step interval,
    provider text default null, model text default null
) returns table (
    bucket_start timestamptz, count bigint, mean_ms double precision, min_ms double precision, max_ms double precision,
    p50_ms double precision, p95_ms double precision, p99_ms double precision
) language plpgsql stable parallel safe set timezone to 'UTC' as $$
declare
    since  timestamptz := date_trunc('minute', "from", 'UTC');
    until  timestamptz := date_trunc('minute', "to", 'UTC');
begin
    if step < interval '1 minute' then
        raise exception 'the shortest step is a minute, not %', step using errcode = 'invalid_parameter_value';
    elsif not (isfinite("from") and isfinite("to")) then
        raise exception 'a series has two ends: from % to %', "from", "to" using errcode = 'invalid_parameter_value';
    end if;
    perform latency_minutes_must_be_there(
        stage,
        array(
            select distinct date_trunc('hour', edge, 'UTC')
            from (
                select generate_series(since, "to", step) union all select until
            ) edges(edge)
            where edge <= until and edge <> date_trunc('hour', edge, 'UTC') and since < until
        ),
        provider, model
    );
    return query
        select date_trunc('minute', at, 'UTC'), coalesce(s.count, 0), s.sum_ms / s.count, s.min_ms, s.max_ms,
               latency_histogram_percentile(s.bins, s.counts, 0.5, s.min_ms, s.max_ms),
               latency_histogram_percentile(s.bins, s.counts, 0.95, s.min_ms, s.max_ms),
               latency_histogram_percentile(s.bins, s.counts, 0.99, s.min_ms, s.max_ms)
        from generate_series(since, "to", step) at
        cross join lateral latency_summary_of_parts(stage, at, least(at + step, "to"), provider, model) s
        where at < until
        order by at;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'latency_minutes_must_be_there(text, timestamptz[], text, text)',
        'latency_summary_of_parts(text, timestamptz, timestamptz, text, text)',
        'latency_summary(text, timestamptz, timestamptz, text, text)',
        'latency_series(text, timestamptz, timestamptz, interval, text, text)'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;
