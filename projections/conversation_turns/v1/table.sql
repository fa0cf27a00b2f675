-- One row a turn. What the view derives (latency_ms, total_cost) is not stored.
create table conversation_turns_v1 (
    session_id             uuid     not null,
    turn_id                uuid     not null,
    turn_index             int,
    status                 text     not null,
    started_at             timestamptz,
    completed_at           timestamptz,
    user_transcript        text,
    llm_response           text,
    spoken_text            text,
    interrupted            boolean  not null,
    asr_latency_ms         numeric,
    rag_latency_ms         numeric,
    llm_latency_ms         numeric,
    tts_latency_ms         numeric,
    first_token_ms         numeric,
    end_to_end_latency_ms  numeric,
    asr_cost               numeric,
    rag_cost               numeric,
    llm_cost               numeric,
    tts_cost               numeric,
    model                  text,
    input_tokens           bigint,
    cached_input_tokens    bigint,
    output_tokens          bigint,
    error_type             text,
    primary key (session_id, turn_id)
) with (fillfactor = 80);  -- a turn at the edge of a batch is updated by the next

alter table conversation_turns_v1 owner to recorder_projector;
