-- handles: *
-- reads: session.started, session.state_changed, turn.transcribed, turn.retrieved, turn.generated, turn.synthesized, turn.interrupted, turn.completed
-- key: stream
-- column: user_id uuid = data.userId
-- column: asr_provider text = data.asrProvider
-- column: llm_provider text = data.llmProvider
-- column: tts_provider text = data.ttsProvider
-- column: config jsonb = data.config
-- column: from_state text = data.from
-- column: to_state text = data.to
-- column: turn_id uuid = data.turnId
-- column: asr_latency_ms numeric = data.asrLatencyMs
-- column: rag_latency_ms numeric = data.ragLatencyMs
-- column: llm_latency_ms numeric = data.llmLatencyMs
-- column: tts_latency_ms numeric = data.ttsLatencyMs
-- column: end_to_end_latency_ms numeric = data.endToEndLatencyMs
-- column: asr_cost numeric = data.asrCost
-- column: rag_cost numeric = data.ragCost
-- column: llm_cost numeric = data.llmCost
-- column: tts_cost numeric = data.ttsCost
-- column: model text = data.model
-- column: input_tokens bigint = data.inputTokens
-- column: cached_input_tokens bigint = data.cachedInputTokens
-- column: output_tokens bigint = data.outputTokens

-- Three kinds of facts meet in `facts`, by stream: the events themselves, the times between session events, and the changes
-- of turns. They are folded together, in one pass: what a statement costs for a single event is the number of its
-- aggregates. They are not joined: a planner that does not know the size of the batch may loop. What is stored is looked up
-- by LATERAL … LIMIT 1, a key at a time: a plan made while a table is young would otherwise read all of it ever after.
--
-- Session events and the first event of the stream, each with the one before it and the last state set before it. That
-- state is a running maximum of version and name, which passes over events that set none.
with marks as (
    select
        stream_id, version, type, occurred_at, from_state, to_state,
        lag(occurred_at) over stream as marked_at,
        substr(max(lpad(version::text, 10, '0') || to_state collate "C") filter (where type = 'session.state_changed')
            over (stream rows between unbounded preceding and 1 preceding), 11) as state
    from batch
    where type in ('session.started', 'session.state_changed', 'session.ended') or version = 1
    window stream as (partition by stream_id order by version)
),
spans as (
    select
        mark.stream_id,
        before.state,
        (extract(epoch from sum(mark.occurred_at - coalesce(mark.marked_at, session.marked_at, session.first_event_at,
                                                            mark.occurred_at))
            filter (where type <> 'session.started')) * 1000000)::bigint as microseconds,
        count(*) filter (
            where type = 'session.state_changed'
              and (from_state = before.state and from_state || ' → ' || to_state = any (array[
                  'idle → listening', 'idle → processing', 'idle → error',
                  'listening → processing', 'listening → idle', 'listening → error',
                  'processing → speaking', 'processing → listening', 'processing → interrupted', 'processing → idle',
                  'processing → error',
                  'speaking → listening', 'speaking → interrupted', 'speaking → idle', 'speaking → processing',
                  'speaking → error',
                  'interrupted → listening', 'interrupted → processing', 'interrupted → idle', 'interrupted → error',
                  'error → idle', 'error → listening'
              ])) is not true
        ) as anomalies
    from marks mark
    left join lateral (
        select state, marked_at, first_event_at from conversation_sessions_v1
        where session_id = mark.stream_id and (mark.state is null or mark.marked_at is null)
        limit 1
    ) session on true
    cross join lateral (values (coalesce(mark.state, session.state, 'idle'))) as before(state)
    where type in ('session.started', 'session.state_changed', 'session.ended')
    group by mark.stream_id, before.state
),
changed as (
    select
        stream_id,
        turn_id,
        sum(stage_ms) as stages_ms,
        bool_or(type = 'turn.completed') as completed,
        (array_agg(end_to_end_latency_ms) filter (where type = 'turn.completed'))
            [count(*) filter (where type = 'turn.completed')] as end_to_end_latency_ms,
        bool_or(type = 'turn.interrupted') as interrupted
    from (
        select
            stream_id, turn_id, type, end_to_end_latency_ms,
            case type when 'turn.transcribed' then asr_latency_ms when 'turn.retrieved' then rag_latency_ms
                      when 'turn.generated' then llm_latency_ms when 'turn.synthesized' then tts_latency_ms end as stage_ms
        from batch
        where turn_id is not null
          and type in ('turn.transcribed', 'turn.retrieved', 'turn.generated', 'turn.synthesized', 'turn.interrupted',
                       'turn.completed')
        order by stream_id, turn_id, version
    ) ordered
    group by stream_id, turn_id
),
turns as (
    select
        stream_id,
        (new.ms is not null)::int - (old.ms is not null)::int as measured_turns,
        coalesce(new.ms, 0) - coalesce(old.ms, 0) as latency_ms,
        (changed.interrupted and turn.interrupted is not true)::int as interrupted_turns
    from changed
    left join lateral (
        select * from conversation_session_turns_v1
        where session_id = changed.stream_id and turn_id = changed.turn_id limit 1
    ) turn on true
    cross join lateral (values (coalesce(turn.end_to_end_latency_ms, turn.stages_ms))) as old(ms)
    cross join lateral (values (coalesce(
        case when changed.completed then changed.end_to_end_latency_ms else turn.end_to_end_latency_ms end,
        turn.stages_ms + changed.stages_ms, turn.stages_ms, changed.stages_ms
    ))) as new(ms)
),
-- The other parts of this statement see the turns as they were before it.
remembered as (
    insert into conversation_session_turns_v1 as turn (
        session_id, turn_id, stages_ms, completed, end_to_end_latency_ms, interrupted
    )
    select stream_id, turn_id, stages_ms, completed, end_to_end_latency_ms, interrupted
    from changed
    order by stream_id, turn_id
    on conflict (session_id, turn_id) do update set
        stages_ms = coalesce(turn.stages_ms + excluded.stages_ms, turn.stages_ms, excluded.stages_ms),
        completed = turn.completed or excluded.completed,
        end_to_end_latency_ms = case when excluded.completed then excluded.end_to_end_latency_ms
                                     else turn.end_to_end_latency_ms end,
        interrupted = turn.interrupted or excluded.interrupted
),
facts as (
    select
        stream_id, version, type, occurred_at, to_state, user_id, asr_provider, llm_provider, tts_provider, config,
        type in ('session.started', 'session.state_changed', 'session.ended') as is_mark,
        case type
            when 'turn.transcribed' then asr_cost
            when 'turn.retrieved' then rag_cost
            when 'turn.generated' then coalesce(llm_cost, (
                select usd from llm_costs(model, occurred_at, input_tokens, cached_input_tokens, output_tokens)
            ))
            when 'turn.synthesized' then tts_cost
        end as cost,
        null::text as state, null::bigint as microseconds, null::bigint as anomalies,
        null::int as measured_turns, null::numeric as latency_ms, null::int as interrupted_turns
    from batch
    union all
    select
        stream_id, null, null, null, null, null, null, null, null, null, null, null,
        state, microseconds, anomalies, null, null, null
    from spans
    union all
    select
        stream_id, null, null, null, null, null, null, null, null, null, null, null,
        null, null, null, measured_turns, latency_ms, interrupted_turns
    from turns
)
insert into conversation_sessions_v1 as session (
    session_id, is_session, user_id, state, asr_provider, llm_provider, tts_provider, first_event_at, marked_at,
    started_at, ended_at, last_event_at, version, total_turns, measured_turns, latency_ms, total_cost, uncosted_calls,
    interrupted_turns, error_count, anomalies, time_in_state, config
)
select
    stream_id,
    bool_or(type like 'session.%' or type like 'turn.%'),
    (array_agg(user_id) filter (where type = 'session.started'))[count(*) filter (where type = 'session.started')],
    (array_agg(to_state) filter (where type = 'session.state_changed' and to_state is not null))
        [count(to_state) filter (where type = 'session.state_changed')],
    (array_agg(asr_provider) filter (where type = 'session.started'))[count(*) filter (where type = 'session.started')],
    (array_agg(llm_provider) filter (where type = 'session.started'))[count(*) filter (where type = 'session.started')],
    (array_agg(tts_provider) filter (where type = 'session.started'))[count(*) filter (where type = 'session.started')],
    -- Without the first event the stream is known already.
    coalesce(min(occurred_at) filter (where version = 1), max(occurred_at)),
    (array_agg(occurred_at) filter (where is_mark))[count(*) filter (where is_mark)],
    (array_agg(occurred_at) filter (where type = 'session.started'))[count(*) filter (where type = 'session.started')],
    (array_agg(occurred_at) filter (where type = 'session.ended'))[count(*) filter (where type = 'session.ended')],
    max(occurred_at),
    max(version),
    count(*) filter (where type = 'turn.started'),
    coalesce(sum(measured_turns), 0),
    trim_scale(coalesce(sum(latency_ms), 0)),
    sum(cost),
    count(*) filter (where cost is null and type in ('turn.transcribed', 'turn.generated', 'turn.synthesized')),
    coalesce(sum(interrupted_turns), 0),
    count(*) filter (where type = 'turn.failed' or type = 'session.state_changed' and to_state = 'error'),
    coalesce(sum(anomalies), 0),
    coalesce(jsonb_object_agg(state, microseconds) filter (where microseconds is not null), '{}'),
    (array_agg(config) filter (where type = 'session.started'))[count(*) filter (where type = 'session.started')]
from (select * from facts order by stream_id, version) ordered
group by stream_id
order by stream_id  -- two workers lock rows in one order
on conflict (session_id) do update set
    is_session = session.is_session or excluded.is_session,
    -- The last start counts, with what it leaves out.
    user_id = case when excluded.started_at is null then session.user_id else excluded.user_id end,
    state = coalesce(excluded.state, session.state),
    asr_provider = case when excluded.started_at is null then session.asr_provider else excluded.asr_provider end,
    llm_provider = case when excluded.started_at is null then session.llm_provider else excluded.llm_provider end,
    tts_provider = case when excluded.started_at is null then session.tts_provider else excluded.tts_provider end,
    marked_at = coalesce(excluded.marked_at, session.marked_at),
    started_at = coalesce(excluded.started_at, session.started_at),
    ended_at = coalesce(excluded.ended_at, session.ended_at),
    last_event_at = greatest(session.last_event_at, excluded.last_event_at),
    version = greatest(session.version, excluded.version),
    total_turns = session.total_turns + excluded.total_turns,
    measured_turns = session.measured_turns + excluded.measured_turns,
    -- A turn whose latency was replaced must leave no trace, not even trailing zeros.
    latency_ms = trim_scale(session.latency_ms + excluded.latency_ms),
    total_cost = coalesce(session.total_cost + excluded.total_cost, session.total_cost, excluded.total_cost),
    uncosted_calls = session.uncosted_calls + excluded.uncosted_calls,
    interrupted_turns = session.interrupted_turns + excluded.interrupted_turns,
    error_count = session.error_count + excluded.error_count,
    anomalies = session.anomalies + excluded.anomalies,
    time_in_state = case
        when excluded.time_in_state = '{}' then session.time_in_state
        when session.time_in_state = '{}' then excluded.time_in_state
        else (
            select jsonb_object_agg(state, microseconds)
            from (
                select key as state, sum(value::bigint) as microseconds
                from (select * from jsonb_each_text(session.time_in_state)
                      union all select * from jsonb_each_text(excluded.time_in_state)) both_times
                group by key
            ) merged
        )
    end,
    config = case when excluded.started_at is null then session.config else excluded.config end;
