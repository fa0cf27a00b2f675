create or replace view conversation_turns with (security_invoker = true) as
select
    session_id,
    turn_id,
    turn_index,
    status,
    started_at,
    completed_at,
    user_transcript,
    llm_response,
    spoken_text,
    interrupted,
    asr_latency_ms::double precision,
    rag_latency_ms::double precision,
    llm_latency_ms::double precision,
    tts_latency_ms::double precision,
    first_token_ms::double precision,
    end_to_end_latency_ms::double precision,
    case
        when end_to_end_latency_ms is not null then end_to_end_latency_ms
        when num_nonnulls(asr_latency_ms, rag_latency_ms, llm_latency_ms, tts_latency_ms) > 0
        then coalesce(asr_latency_ms, 0) + coalesce(rag_latency_ms, 0)
             + coalesce(llm_latency_ms, 0) + coalesce(tts_latency_ms, 0)
    end::double precision as latency_ms,
    asr_cost,
    rag_cost,
    llm_cost,
    tts_cost,
    case
        when num_nonnulls(asr_cost, rag_cost, llm_cost, tts_cost) > 0
        then coalesce(asr_cost, 0) + coalesce(rag_cost, 0) + coalesce(llm_cost, 0) + coalesce(tts_cost, 0)
    end as total_cost,
    model,
    input_tokens,
    cached_input_tokens,
    output_tokens,
    error_type
from conversation_turns_v1;

alter view conversation_turns owner to recorder_projector;
grant select on conversation_turns to recorder_analyst, recorder_service;
