-- The partial rows of all three resolutions, as the query functions read them (migration latency_functions).
create or replace view latency_metrics_parts as
select 'minute' as resolution, * from latency_metrics_minutes_v1
union all
select 'hour', * from latency_metrics_hours_v1
union all
select 'day', * from latency_metrics_days_v1;

-- Minutes, summed over the partial rows. histogram is bin → count.
create or replace view latency_metrics as
select
    bucket_start,
    stage,
    provider,
    model,
    interrupted,
    sum(count)::bigint as count,
    sum(sum_ms)::double precision as sum_ms,
    min(min_ms)::double precision as min_ms,
    max(max_ms)::double precision as max_ms,
    latency_histogram(array_concat(bins), array_concat(counts)) as histogram
from latency_metrics_minutes_v1
group by bucket_start, stage, provider, model, interrupted;

-- Hours, summed over the partial rows.
create or replace view latency_metrics_hours as
select
    bucket_start,
    stage,
    provider,
    model,
    interrupted,
    sum(count)::bigint as count,
    sum(sum_ms)::double precision as sum_ms,
    min(min_ms)::double precision as min_ms,
    max(max_ms)::double precision as max_ms,
    latency_histogram(array_concat(bins), array_concat(counts)) as histogram
from latency_metrics_hours_v1
group by bucket_start, stage, provider, model, interrupted;

-- Days (UTC), summed over the partial rows.
create or replace view latency_metrics_days as
select
    bucket_start,
    stage,
    provider,
    model,
    interrupted,
    sum(count)::bigint as count,
    sum(sum_ms)::double precision as sum_ms,
    min(min_ms)::double precision as min_ms,
    max(max_ms)::double precision as max_ms,
    latency_histogram(array_concat(bins), array_concat(counts)) as histogram
from latency_metrics_days_v1
group by bucket_start, stage, provider, model, interrupted;

alter view latency_metrics_parts owner to recorder_projector;
alter view latency_metrics owner to recorder_projector;
alter view latency_metrics_hours owner to recorder_projector;
alter view latency_metrics_days owner to recorder_projector;
grant select on latency_metrics_parts, latency_metrics, latency_metrics_hours, latency_metrics_days to recorder_analyst;
