create or replace view conversation_sessions with (security_invoker = true) as
select
    session_id as id,
    user_id,
    coalesce(state, 'idle') as state,
    asr_provider,
    llm_provider,
    tts_provider,
    started_at,
    ended_at,
    last_event_at,
    version,
    total_turns,
    measured_turns,
    (latency_ms / nullif(measured_turns, 0))::double precision as average_latency_ms,
    total_cost,
    uncosted_calls,
    interrupted_turns,
    error_count,
    anomalies,
    (
        select coalesce(jsonb_object_agg(key, value::double precision / 1000), '{}')
        from jsonb_each_text(time_in_state)
    ) as time_in_state,
    config
from conversation_sessions_v1
where is_session;

alter view conversation_sessions owner to recorder_projector;
grant select on conversation_sessions to recorder_analyst, recorder_service;
