-- handles: turn.transcribed, turn.retrieved, turn.generated, turn.synthesized, turn.interrupted, turn.completed
-- column: turn_id uuid = data.turnId
-- column: asr_latency_ms numeric = data.asrLatencyMs
-- column: rag_latency_ms numeric = data.ragLatencyMs
-- column: llm_latency_ms numeric = data.llmLatencyMs
-- column: tts_latency_ms numeric = data.ttsLatencyMs
-- column: first_token_ms numeric = data.timeToFirstTokenMs
-- column: end_to_end_latency_ms numeric = data.endToEndLatencyMs
-- column: asr_provider text = data.asrProvider
-- column: rag_provider text = data.ragProvider
-- column: llm_provider text = data.llmProvider
-- column: tts_provider text = data.ttsProvider
-- column: model text = data.model

-- Every measured value of the batch, once to its minute, once to its hour, once to its day. What is new of a histogram is put
-- behind what is stored; only when the arrays have grown long are equal bins added up, which takes a hundred times as long.
with staged as (
    select
        stream_id, turn_id, version, type, occurred_at, first_token_ms, end_to_end_latency_ms, model,
        case type when 'turn.transcribed' then 'asr' when 'turn.retrieved' then 'rag'
                  when 'turn.generated' then 'llm' when 'turn.synthesized' then 'tts' end as stage,
        case type when 'turn.transcribed' then asr_provider when 'turn.retrieved' then rag_provider
                  when 'turn.generated' then llm_provider when 'turn.synthesized' then tts_provider end as provider,
        case type when 'turn.transcribed' then asr_latency_ms when 'turn.retrieved' then rag_latency_ms
                  when 'turn.generated' then llm_latency_ms when 'turn.synthesized' then tts_latency_ms end as stage_ms
    from batch
),
-- How far each turn had come when it was completed, as far as this batch tells.
running as (
    select
        stream_id, turn_id, type, occurred_at, end_to_end_latency_ms,
        sum(stage_ms) over turn as stages_ms,
        bool_or(type = 'turn.interrupted') over turn as interrupted,
        lead(version) over turn is null as is_last
    from staged
    where turn_id is not null
    window turn as (partition by stream_id, turn_id order by version)
),
measured as materialized (
    select occurred_at, stage, provider, model, null::boolean as interrupted, stage_ms as ms,
           stage_ms::double precision as approximate_ms
    from staged
    where stage_ms is not null
    union all
    select occurred_at, 'llm_first_token', provider, model, null, first_token_ms, first_token_ms::double precision
    from staged
    where type = 'turn.generated' and first_token_ms is not null
    union all
    select occurred_at, 'turn', null, null, interrupted, ms, ms::double precision
    from (
        select
            running.occurred_at,
            running.interrupted or coalesce(turn.interrupted, false) as interrupted,
            coalesce(running.end_to_end_latency_ms,
                     turn.stages_ms + running.stages_ms, turn.stages_ms, running.stages_ms) as ms
        from running
        -- LIMIT: by key, whatever the planner believes of a young table.
        left join lateral (
            select * from latency_metrics_turns_v1
            where session_id = running.stream_id and turn_id = running.turn_id limit 1
        ) turn on true
        where running.type = 'turn.completed'
    ) completed
    where ms is not null
),
-- The other parts of this statement see the turns as they were before it.
remembered as (
    insert into latency_metrics_turns_v1 as turn (session_id, turn_id, stages_ms, interrupted)
    select stream_id, turn_id, stages_ms, interrupted
    from running
    where is_last
    order by stream_id, turn_id  -- two workers lock rows in one order
    on conflict (session_id, turn_id) do update set
        stages_ms = coalesce(turn.stages_ms + excluded.stages_ms, turn.stages_ms, excluded.stages_ms),
        interrupted = turn.interrupted or excluded.interrupted
),
totals as materialized (
    select resolution, bucket_start, stage, provider, model, interrupted, count, sum_ms, min_ms, max_ms,
           case when count <= 100 then bins else latency_bins_merged(bins) end as bins,
           case when count <= 100 then array_fill(1::bigint, array[count::int])
                else latency_counts_merged(bins, array_fill(1::bigint, array[count::int])) end as counts
    from (
        select
            resolution, bucket_start, stage, provider, model, interrupted,
            count(*) as count, sum(ms) as sum_ms, min(ms) as min_ms, max(ms) as max_ms,
            array_agg(latency_bin(approximate_ms)) as bins
        from measured
        cross join lateral (values
            ('minute', date_bin('1 minute', occurred_at, '1970-01-01 00:00+00')),
            ('hour', date_bin('1 hour', occurred_at, '1970-01-01 00:00+00')),
            ('day', date_bin('1 day', occurred_at, '1970-01-01 00:00+00'))
        ) as bucket(resolution, bucket_start)
        group by resolution, bucket_start, stage, provider, model, interrupted
    ) binned
),
stored_minutes as (
    insert into latency_metrics_minutes_v1 as total
        (bucket_start, stage, provider, model, interrupted, shard, count, sum_ms, min_ms, max_ms, bins, counts)
    select bucket_start, stage, provider, model, interrupted,
           coalesce(nullif(current_setting('recorder.shard', true), ''), '0')::smallint,
           count, sum_ms, min_ms, max_ms, bins, counts
    from totals where resolution = 'minute'
    order by bucket_start, stage, provider, model, interrupted
    on conflict (bucket_start, stage, provider, model, interrupted, shard) do update set
        count = total.count + excluded.count,
        sum_ms = total.sum_ms + excluded.sum_ms,
        min_ms = least(total.min_ms, excluded.min_ms),
        max_ms = greatest(total.max_ms, excluded.max_ms),
        bins = case when cardinality(total.bins) + cardinality(excluded.bins) <= 500 then total.bins || excluded.bins
                    else latency_bins_merged(total.bins || excluded.bins) end,
        counts = case when cardinality(total.bins) + cardinality(excluded.bins) <= 500 then total.counts || excluded.counts
                      else latency_counts_merged(total.bins || excluded.bins, total.counts || excluded.counts) end
),
stored_hours as (
    insert into latency_metrics_hours_v1 as total
        (bucket_start, stage, provider, model, interrupted, shard, count, sum_ms, min_ms, max_ms, bins, counts)
    select bucket_start, stage, provider, model, interrupted,
           coalesce(nullif(current_setting('recorder.shard', true), ''), '0')::smallint,
           count, sum_ms, min_ms, max_ms, bins, counts
    from totals where resolution = 'hour'
    order by bucket_start, stage, provider, model, interrupted
    on conflict (bucket_start, stage, provider, model, interrupted, shard) do update set
        count = total.count + excluded.count,
        sum_ms = total.sum_ms + excluded.sum_ms,
        min_ms = least(total.min_ms, excluded.min_ms),
        max_ms = greatest(total.max_ms, excluded.max_ms),
        bins = case when cardinality(total.bins) + cardinality(excluded.bins) <= 500 then total.bins || excluded.bins
                    else latency_bins_merged(total.bins || excluded.bins) end,
        counts = case when cardinality(total.bins) + cardinality(excluded.bins) <= 500 then total.counts || excluded.counts
                      else latency_counts_merged(total.bins || excluded.bins, total.counts || excluded.counts) end
)
insert into latency_metrics_days_v1 as total
    (bucket_start, stage, provider, model, interrupted, shard, count, sum_ms, min_ms, max_ms, bins, counts)
select bucket_start, stage, provider, model, interrupted,
       coalesce(nullif(current_setting('recorder.shard', true), ''), '0')::smallint,
       count, sum_ms, min_ms, max_ms, bins, counts
from totals where resolution = 'day'
order by bucket_start, stage, provider, model, interrupted
on conflict (bucket_start, stage, provider, model, interrupted, shard) do update set
    count = total.count + excluded.count,
    sum_ms = total.sum_ms + excluded.sum_ms,
    min_ms = least(total.min_ms, excluded.min_ms),
    max_ms = greatest(total.max_ms, excluded.max_ms),
    bins = case when cardinality(total.bins) + cardinality(excluded.bins) <= 500 then total.bins || excluded.bins
                else latency_bins_merged(total.bins || excluded.bins) end,
    counts = case when cardinality(total.bins) + cardinality(excluded.bins) <= 500 then total.counts || excluded.counts
                  else latency_counts_merged(total.bins || excluded.bins, total.counts || excluded.counts) end;
