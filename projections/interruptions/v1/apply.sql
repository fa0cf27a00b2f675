-- handles: session.started, turn.interrupted
-- column: llm_provider text = data.llmProvider
-- column: tts_provider text = data.ttsProvider
-- column: interrupter text = data.by
-- column: yield_ms numeric = data.yieldLatencyMs
-- column: is_false boolean = data.falseInterruption

-- An interruption belongs to the providers that the last start before it named, in this batch or in an
-- earlier one; what that start left out is NULL.
insert into interruptions_v1 as total (
    bucket_start, interrupter, llm_provider, tts_provider, shard, count, false_interruptions, measured, sum_ms,
    min_ms, max_ms
)
select
    date_trunc('hour', occurred_at, 'UTC'),
    interrupter,
    case when starts > 0 then started_llm else session.llm_provider end,
    case when starts > 0 then started_tts else session.tts_provider end,
    coalesce(nullif(current_setting('recorder.shard', true), ''), '0')::smallint,
    count(*),
    count(*) filter (where is_false),
    count(yield_ms),
    sum(yield_ms),
    min(yield_ms),
    max(yield_ms)
from (
    select
        *,
        first_value(llm_provider) over since_start as started_llm,
        first_value(tts_provider) over since_start as started_tts
    from (
        select *, count(*) filter (where type = 'session.started') over (partition by stream_id order by version) as starts
        from batch
    ) numbered
    window since_start as (partition by stream_id, starts order by version)
) event
-- LIMIT: by key, whatever the planner believes of a young table.
left join lateral (
    select llm_provider, tts_provider from interruption_sessions_v1 where session_id = event.stream_id limit 1
) session on true
where type = 'turn.interrupted'
group by 1, 2, 3, 4
order by 1, 2, 3, 4  -- two workers lock rows in one order
on conflict (bucket_start, interrupter, llm_provider, tts_provider, shard) do update set
    count = total.count + excluded.count,
    false_interruptions = total.false_interruptions + excluded.false_interruptions,
    measured = total.measured + excluded.measured,
    sum_ms = coalesce(total.sum_ms + excluded.sum_ms, total.sum_ms, excluded.sum_ms),
    min_ms = least(total.min_ms, excluded.min_ms),
    max_ms = greatest(total.max_ms, excluded.max_ms);

-- Only now, so that the statement above saw the sessions as they were before this batch.
insert into interruption_sessions_v1 as session (session_id, llm_provider, tts_provider)
select distinct on (stream_id) stream_id, llm_provider, tts_provider
from batch
where type = 'session.started'
order by stream_id, version desc
on conflict (session_id) do update set
    llm_provider = excluded.llm_provider,
    tts_provider = excluded.tts_provider;
