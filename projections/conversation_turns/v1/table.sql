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

-- The turns of a user's own sessions, for services that act for a user; all of them for analysts.
alter table conversation_turns_v1 enable row level security;
create policy every on conversation_turns_v1 for select to recorder_analyst using (true);
create policy own on conversation_turns_v1 for select to recorder_service using (
    exists (
        select from stream_subjects subject
        where subject.stream_id = session_id and subject.subject_id = (select acting_user())
    )
);
grant select on conversation_turns_v1 to recorder_analyst, recorder_service;

-- What was said is nobody's to guess from the planner's samples (migration isolation).
alter table conversation_turns_v1 alter user_transcript set statistics 0, alter llm_response set statistics 0,
    alter spoken_text set statistics 0;
