-- One row for each session, stage, provider and model. A provider or model that was not said is one of them.
create table conversation_costs_v1 (
    session_id           uuid     not null,
    stage                text     not null,
    provider             text,
    model                text,
    day                  date     not null,
    calls                bigint   not null,
    input_tokens         bigint   not null,
    cached_input_tokens  bigint   not null,
    output_tokens        bigint   not null,
    audio_seconds        numeric  not null,
    characters           bigint   not null,
    provided_cost        numeric,
    computed_cost        numeric,
    cost                 numeric,
    uncosted_calls       bigint   not null,
    constraint conversation_costs_v1_key unique nulls not distinct (session_id, stage, provider, model)
) with (fillfactor = 70);  -- a session's rows are updated as long as it lasts

create index conversation_costs_v1_day_idx on conversation_costs_v1 (day);

alter table conversation_costs_v1 owner to recorder_projector;

-- The costs of a user's own sessions, for services that act for a user; all of them for analysts.
alter table conversation_costs_v1 enable row level security;
create policy every on conversation_costs_v1 for select to recorder_analyst using (true);
create policy own on conversation_costs_v1 for select to recorder_service using (
    exists (
        select from stream_subjects subject
        where subject.stream_id = session_id and subject.subject_id = (select acting_user())
    )
);
grant select on conversation_costs_v1 to recorder_analyst, recorder_service;
