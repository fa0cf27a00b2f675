-- handles: turn.started, turn.transcribed, turn.retrieved, turn.generated, turn.synthesized, turn.interrupted, turn.completed, turn.failed
-- key: stream
-- column: turn_id uuid = data.turnId
-- column: turn_index integer = data.turnIndex
-- column: user_transcript text = data.userTranscript
-- column: llm_response text = data.llmResponse
-- column: spoken_text text = data.spokenText
-- column: asr_latency_ms numeric = data.asrLatencyMs
-- column: rag_latency_ms numeric = data.ragLatencyMs
-- column: llm_latency_ms numeric = data.llmLatencyMs
-- column: tts_latency_ms numeric = data.ttsLatencyMs
-- column: first_token_ms numeric = data.timeToFirstTokenMs
-- column: end_to_end_latency_ms numeric = data.endToEndLatencyMs
-- column: asr_cost numeric = data.asrCost
-- column: rag_cost numeric = data.ragCost
-- column: llm_cost numeric = data.llmCost
-- column: tts_cost numeric = data.ttsCost
-- column: model text = data.model
-- column: input_tokens bigint = data.inputTokens
-- column: cached_input_tokens bigint = data.cachedInputTokens
-- column: output_tokens bigint = data.outputTokens
-- column: error_type text = data.errorType
-- personal: user_transcript, llm_response, spoken_text

-- Folds the batch to one row a turn and adds that to what is stored. Aggregates without an ORDER BY of
-- their own see the order of the subquery, which is that of the stream: the last of something is the
-- last element of its array. An event without a turn id belongs to no turn.
insert into conversation_turns_v1 as turn (
    session_id, turn_id, turn_index, status, started_at, completed_at, user_transcript, llm_response, spoken_text,
    interrupted, asr_latency_ms, rag_latency_ms, llm_latency_ms, tts_latency_ms, first_token_ms,
    end_to_end_latency_ms, asr_cost, rag_cost, llm_cost, tts_cost, model, input_tokens, cached_input_tokens,
    output_tokens, error_type
)
select
    stream_id,
    turn_id,
    (array_agg(turn_index) filter (where type = 'turn.started'))[count(*) filter (where type = 'turn.started')],
    -- The later of completed and failed decides. A turn cut before it was completed is an interrupted one.
    case
        when max(version) filter (where type = 'turn.completed')
           > coalesce(max(version) filter (where type = 'turn.failed'), 0)
        then case when min(version) filter (where type = 'turn.interrupted')
                     < max(version) filter (where type = 'turn.completed')
                  then 'interrupted' else 'completed' end
        when bool_or(type = 'turn.failed') then 'failed'
        else 'started'
    end,
    (array_agg(occurred_at) filter (where type = 'turn.started'))[1],
    (array_agg(occurred_at) filter (where type = 'turn.completed'))[count(*) filter (where type = 'turn.completed')],
    string_agg(user_transcript, e'\n') filter (where is_stage),
    string_agg(llm_response, e'\n') filter (where is_stage),
    (array_agg(spoken_text) filter (where type = 'turn.interrupted'))[count(*) filter (where type = 'turn.interrupted')],
    bool_or(type = 'turn.interrupted'),
    sum(asr_latency_ms) filter (where type = 'turn.transcribed'),
    sum(rag_latency_ms) filter (where type = 'turn.retrieved'),
    sum(llm_latency_ms) filter (where type = 'turn.generated'),
    sum(tts_latency_ms) filter (where type = 'turn.synthesized'),
    (array_agg(first_token_ms) filter (where type = 'turn.generated' and first_token_ms is not null))[1],
    (array_agg(end_to_end_latency_ms) filter (where type = 'turn.completed'))[count(*) filter (where type = 'turn.completed')],
    sum(asr_cost) filter (where type = 'turn.transcribed'),
    sum(rag_cost) filter (where type = 'turn.retrieved'),
    sum(known_llm_cost),
    sum(tts_cost) filter (where type = 'turn.synthesized'),
    (array_agg(model) filter (where type = 'turn.generated' and model is not null))
        [count(model) filter (where type = 'turn.generated')],
    sum(input_tokens) filter (where type = 'turn.generated'),
    sum(cached_input_tokens) filter (where type = 'turn.generated'),
    sum(output_tokens) filter (where type = 'turn.generated'),
    (array_agg(error_type) filter (where type = 'turn.failed' and error_type is not null))
        [count(error_type) filter (where type = 'turn.failed')]
from (
    select
        batch.*,
        type in ('turn.transcribed', 'turn.retrieved', 'turn.generated', 'turn.synthesized') as is_stage,
        case when type = 'turn.generated' then coalesce(llm_cost, (
            select usd from llm_costs(model, occurred_at, input_tokens, cached_input_tokens, output_tokens)
        )) end as known_llm_cost
    from batch
    where turn_id is not null
    order by stream_id, turn_id, version
) ordered
group by stream_id, turn_id
order by stream_id, turn_id  -- two workers lock rows in one order
on conflict (session_id, turn_id) do update set
    -- started_at and completed_at say whether the batch held such an event, whose other fields then count, NULL too.
    turn_index = case when excluded.started_at is null then turn.turn_index else excluded.turn_index end,
    status = case
        when excluded.status = 'started' then turn.status
        when excluded.status = 'completed' and turn.interrupted then 'interrupted'
        else excluded.status
    end,
    started_at = coalesce(turn.started_at, excluded.started_at),
    completed_at = coalesce(excluded.completed_at, turn.completed_at),
    user_transcript = coalesce(turn.user_transcript || e'\n' || excluded.user_transcript,
                               turn.user_transcript, excluded.user_transcript),
    llm_response = coalesce(turn.llm_response || e'\n' || excluded.llm_response, turn.llm_response, excluded.llm_response),
    spoken_text = case when excluded.interrupted then excluded.spoken_text else turn.spoken_text end,
    interrupted = turn.interrupted or excluded.interrupted,
    asr_latency_ms = coalesce(turn.asr_latency_ms + excluded.asr_latency_ms, turn.asr_latency_ms, excluded.asr_latency_ms),
    rag_latency_ms = coalesce(turn.rag_latency_ms + excluded.rag_latency_ms, turn.rag_latency_ms, excluded.rag_latency_ms),
    llm_latency_ms = coalesce(turn.llm_latency_ms + excluded.llm_latency_ms, turn.llm_latency_ms, excluded.llm_latency_ms),
    tts_latency_ms = coalesce(turn.tts_latency_ms + excluded.tts_latency_ms, turn.tts_latency_ms, excluded.tts_latency_ms),
    first_token_ms = coalesce(turn.first_token_ms, excluded.first_token_ms),
    end_to_end_latency_ms = case when excluded.completed_at is null then turn.end_to_end_latency_ms
                                 else excluded.end_to_end_latency_ms end,
    asr_cost = coalesce(turn.asr_cost + excluded.asr_cost, turn.asr_cost, excluded.asr_cost),
    rag_cost = coalesce(turn.rag_cost + excluded.rag_cost, turn.rag_cost, excluded.rag_cost),
    llm_cost = coalesce(turn.llm_cost + excluded.llm_cost, turn.llm_cost, excluded.llm_cost),
    tts_cost = coalesce(turn.tts_cost + excluded.tts_cost, turn.tts_cost, excluded.tts_cost),
    model = coalesce(excluded.model, turn.model),
    input_tokens = coalesce(turn.input_tokens + excluded.input_tokens, turn.input_tokens, excluded.input_tokens),
    cached_input_tokens = coalesce(turn.cached_input_tokens + excluded.cached_input_tokens,
                                   turn.cached_input_tokens, excluded.cached_input_tokens),
    output_tokens = coalesce(turn.output_tokens + excluded.output_tokens, turn.output_tokens, excluded.output_tokens),
    error_type = coalesce(excluded.error_type, turn.error_type);
