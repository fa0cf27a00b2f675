-- Audited events, chained by user in the order of their positions. Events of nobody form a chain too: that
-- of the nil UUID.
create table audit_logs_v1 (
    chain          uuid         not null,
    position       bigint       not null,
    id             uuid         not null,
    user_id        uuid,
    action         text         not null,
    resource       text         not null,
    result         text         not null,
    ip_address     text,
    user_agent     text,
    metadata       jsonb        not null,
    timestamp      timestamptz  not null,
    hash           bytea,  -- NULL only between two statements of one batch
    previous_hash  bytea,  -- NULL where a chain begins
    primary key (chain, position)
) with (fillfactor = 50);  -- every row is written, then linked

create index audit_logs_v1_unlinked_idx on audit_logs_v1 (chain, position) where hash is null;
create index audit_logs_v1_timestamp_idx on audit_logs_v1 (timestamp);

-- The head of each chain: the row that two workers with events of one user meet at, and the witness of
-- where the chain ends.
create table audit_chains_v1 (
    chain          uuid    not null primary key,
    length         bigint  not null,
    head_position  bigint,
    head_hash      bytea
) with (fillfactor = 50);

-- Whose session it is, for the events that do not say.
create table audit_sessions_v1 (
    session_id  uuid  not null primary key,
    user_id     uuid  not null
);

alter table audit_logs_v1 owner to recorder_projector;
alter table audit_chains_v1 owner to recorder_projector;
alter table audit_sessions_v1 owner to recorder_projector;

-- A user's own chain, for services that act for a user; all of them for analysts.
alter table audit_logs_v1 enable row level security;
alter table audit_chains_v1 enable row level security;
alter table audit_sessions_v1 enable row level security;
create policy every on audit_logs_v1 for select to recorder_analyst using (true);
create policy own on audit_logs_v1 for select to recorder_service
    using (chain = (select acting_user()) and user_id = (select acting_user()));
create policy every on audit_chains_v1 for select to recorder_analyst using (true);
create policy own on audit_chains_v1 for select to recorder_service
    using (chain = (select acting_user()) and chain <> '00000000-0000-0000-0000-000000000000');
grant select on audit_logs_v1, audit_chains_v1 to recorder_analyst, recorder_service;
alter table audit_logs_v1 alter user_id set statistics 0, alter ip_address set statistics 0, alter user_agent set statistics 0,
    alter metadata set statistics 0, alter resource set statistics 0;
