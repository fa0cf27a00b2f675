-- One row a stream, sessions and others alike: an event that turns a stream into a session may come late,
-- and the events before it count. The view shows sessions only.
create table conversation_sessions_v1 (
    session_id         uuid         not null primary key,
    is_session         boolean      not null,
    user_id            uuid,
    state              text,
    asr_provider       text,
    llm_provider       text,
    tts_provider       text,
    first_event_at     timestamptz  not null,
    marked_at          timestamptz,  -- the last session event: from here the time in the present state counts
    started_at         timestamptz,
    ended_at           timestamptz,
    last_event_at      timestamptz  not null,
    version            int          not null,
    total_turns        int          not null,
    measured_turns     int          not null,
    latency_ms         numeric      not null,  -- sum over the measured turns
    total_cost         numeric,
    uncosted_calls     int          not null,
    interrupted_turns  int          not null,
    error_count        int          not null,
    anomalies          int          not null,
    time_in_state      jsonb        not null,  -- state → microseconds
    config             jsonb
) with (fillfactor = 60);  -- updated by every batch while it lasts

create index conversation_sessions_v1_started_at_idx on conversation_sessions_v1 (started_at);
create index conversation_sessions_v1_user_id_idx on conversation_sessions_v1 (user_id);

-- What each turn contributed to its session so far, to take it back when the turn changes.
create table conversation_session_turns_v1 (
    session_id             uuid     not null,
    turn_id                uuid     not null,
    stages_ms              numeric,
    completed              boolean  not null,
    end_to_end_latency_ms  numeric,  -- as the last completion said, also that there is none
    interrupted            boolean  not null,
    primary key (session_id, turn_id)
) with (fillfactor = 80);

alter table conversation_sessions_v1 owner to recorder_projector;
alter table conversation_session_turns_v1 owner to recorder_projector;

-- A user's own sessions, for services that act for a user; all of them for analysts. The views read with the rights of
-- whoever asks.
alter table conversation_sessions_v1 enable row level security;
alter table conversation_session_turns_v1 enable row level security;
create policy every on conversation_sessions_v1 for select to recorder_analyst using (true);
create policy own on conversation_sessions_v1 for select to recorder_service using (
    user_id = (select acting_user())
    and exists (
        select from stream_subjects subject
        where subject.stream_id = session_id and subject.subject_id = (select acting_user())
    )
);
grant select on conversation_sessions_v1 to recorder_analyst, recorder_service;
alter table conversation_sessions_v1 alter user_id set statistics 0;
