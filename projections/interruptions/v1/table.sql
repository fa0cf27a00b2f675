-- Interruptions by hour, who cut in, and the providers of the session. Rows are partial: workers keep to their
-- own shard and never wait for one another, and whoever reads adds up.
create table interruptions_v1 (
    bucket_start         timestamptz  not null,
    interrupter          text,
    llm_provider         text,
    tts_provider         text,
    shard                smallint     not null,
    count                bigint       not null,
    false_interruptions  bigint       not null,
    measured             bigint       not null,  -- those whose yield latency is known
    sum_ms               numeric,
    min_ms               numeric,
    max_ms               numeric,
    constraint interruptions_v1_key
        unique nulls not distinct (bucket_start, interrupter, llm_provider, tts_provider, shard)
) with (fillfactor = 70);  -- the rows of this hour are updated all the time

-- The providers of each session as its last start said: an interruption does not name them.
create table interruption_sessions_v1 (
    session_id    uuid  not null primary key,
    llm_provider  text,
    tts_provider  text
);

alter table interruptions_v1 owner to recorder_projector;
alter table interruption_sessions_v1 owner to recorder_projector;

-- One user's each, and the projector's alone to see.
alter table interruption_sessions_v1 enable row level security;
