-- handles: turn.transcribed, turn.retrieved, turn.generated, turn.synthesized
-- key: stream
-- column: asr_provider text = data.asrProvider
-- column: rag_provider text = data.ragProvider
-- column: llm_provider text = data.llmProvider
-- column: tts_provider text = data.ttsProvider
-- column: model text = data.model
-- column: asr_cost numeric = data.asrCost
-- column: rag_cost numeric = data.ragCost
-- column: llm_cost numeric = data.llmCost
-- column: tts_cost numeric = data.ttsCost
-- column: input_tokens bigint = data.inputTokens
-- column: cached_input_tokens bigint = data.cachedInputTokens
-- column: output_tokens bigint = data.outputTokens
-- column: audio_seconds numeric = data.audioSeconds
-- column: characters bigint = data.characters

-- A sum that no call contributed to is 0, a cost that no call has is NULL.
insert into conversation_costs_v1 as total (
    session_id, stage, provider, model, day, calls, input_tokens, cached_input_tokens, output_tokens, audio_seconds,
    characters, provided_cost, computed_cost, cost, uncosted_calls
)
select
    stream_id,
    stage,
    provider,
    model,
    (array_agg((occurred_at at time zone 'UTC')::date))[1],
    count(*),
    coalesce(sum(input_tokens), 0),
    coalesce(sum(cached_input_tokens), 0),
    coalesce(sum(output_tokens), 0),
    coalesce(sum(audio_seconds), 0),
    coalesce(sum(characters), 0),
    sum(provided),
    sum(computed),
    sum(coalesce(provided, computed)),
    count(*) filter (where provided is null and computed is null)
from (
    select
        batch.*,
        call.*,
        case when type = 'turn.generated' then (
            select usd from llm_costs(model, occurred_at, input_tokens, cached_input_tokens, output_tokens)
        ) end as computed
    from batch
    cross join lateral (
        values
            (case type when 'turn.transcribed' then 'asr' when 'turn.retrieved' then 'rag'
                       when 'turn.generated' then 'llm' else 'tts' end,
             case type when 'turn.transcribed' then asr_provider when 'turn.retrieved' then rag_provider
                       when 'turn.generated' then llm_provider else tts_provider end,
             case type when 'turn.transcribed' then asr_cost when 'turn.retrieved' then rag_cost
                       when 'turn.generated' then llm_cost else tts_cost end)
    ) as call(stage, provider, provided)
    -- A retrieval without a cost is free.
    where type <> 'turn.retrieved' or rag_cost is not null
    -- The order of the stream, for the day of the first call.
    order by stream_id, stage, provider, model, version
) ordered
group by stream_id, stage, provider, model
order by stream_id, stage, provider, model  -- two workers lock rows in one order
on conflict (session_id, stage, provider, model) do update set
    calls = total.calls + excluded.calls,
    input_tokens = total.input_tokens + excluded.input_tokens,
    cached_input_tokens = total.cached_input_tokens + excluded.cached_input_tokens,
    output_tokens = total.output_tokens + excluded.output_tokens,
    audio_seconds = total.audio_seconds + excluded.audio_seconds,
    characters = total.characters + excluded.characters,
    provided_cost = coalesce(total.provided_cost + excluded.provided_cost, total.provided_cost, excluded.provided_cost),
    computed_cost = coalesce(total.computed_cost + excluded.computed_cost, total.computed_cost, excluded.computed_cost),
    cost = coalesce(total.cost + excluded.cost, total.cost, excluded.cost),
    uncosted_calls = total.uncosted_calls + excluded.uncosted_calls;
