-- Who builds which part of a read model: a shard of a projection is held under a lease.
--
-- A worker says that it lives by its heartbeat, by this database's clock; a lease is as good as its owner's
-- heartbeat is young. Each claim raises the epoch, and a worker's writes carry the epoch that it claimed: one
-- that was only slow finds its epoch gone and rolls back.
create table projector_workers (
    id            uuid        primary key,
    process       text        not null,
    started_at    timestamptz not null default clock_timestamp(),
    heartbeat_at  timestamptz not null default clock_timestamp()
) with (fillfactor = 20);

alter table projection_checkpoints
    add column shards    smallint not null default 1,
    add column owner     uuid,
    add column epoch     bigint   not null default 0,
    add column error     text,
    add column error_at  timestamptz,
    add constraint projection_checkpoints_shard check (shard >= 0 and shard < shards and shards <= 256);

-- Where a checkpoint stands, as text: the cursor of the subscription.
create function checkpoint_cursor(old_snapshot pg_snapshot, new_snapshot pg_snapshot, "position" bigint) returns text
language sql immutable parallel safe as $$
    select coalesce(old_snapshot::text, '1:1:') || coalesce('/' || new_snapshot::text || '@' || "position", '')
$$;

-- Streams that a projection has stopped at an event which it cannot apply. Later events of the stream wait in
-- the log, in their order, until a retry gets past it.
create table projection_quarantine (
    projection          text        not null,
    version             int         not null,
    shard               smallint    not null,
    stream_id           uuid        not null,
    event_id            uuid        not null,
    event_version       int         not null,
    event_type          text        not null,
    error               text        not null,
    attempts            int         not null default 1,
    since               timestamptz not null default clock_timestamp(),
    last_tried_at       timestamptz not null default clock_timestamp(),
    retry_requested_at  timestamptz,
    primary key (projection, version, stream_id)
);

alter table projector_workers owner to recorder_projector;
alter table projection_quarantine owner to recorder_projector;
grant select on projector_workers, projection_quarantine to recorder_analyst, recorder_appender;
