-- Read models that are being built beside the live ones: how far each shard is. It changes in the transaction
-- that changes the shadow tables, guarded by its old value, so that work that was cut off goes on where it was.
--
-- A rebuild takes the live tables' place in the end, a verification is only compared with them.
create table projection_rebuilds (
    projection    text        not null,
    version       int         not null,
    purpose       text        not null,
    shard         smallint    not null,
    shards        smallint    not null,
    checksum      text        not null,  -- of the SQL that builds it: a shadow of other SQL is of no use
    old_snapshot  pg_snapshot,
    new_snapshot  pg_snapshot,
    position      bigint      not null default 0,
    events        bigint      not null default 0,  -- given to the projection
    read          bigint      not null default 0,  -- read from the log, whatever their types
    total         bigint      not null,            -- in the log when it began, all shards together
    differences   bigint,                          -- found against the live model; NULL before the comparison
    started_at    timestamptz not null default clock_timestamp(),
    updated_at    timestamptz not null default clock_timestamp(),
    primary key (projection, version, purpose, shard),
    constraint projection_rebuilds_purpose check (purpose in ('rebuild', 'verify')),
    constraint projection_rebuilds_shard check (shard >= 0 and shard < shards and shards <= 256)
) with (fillfactor = 20);  -- few rows, each rewritten by every batch

alter table projection_rebuilds owner to recorder_projector;
grant select on projection_rebuilds to recorder_analyst, recorder_appender;

-- Streams that a shadow has stopped at an event which it cannot apply, as projection_quarantine has them of the
-- live models.
create table projection_rebuild_quarantine (
    projection     text      not null,
    version        int       not null,
    purpose        text      not null,
    shard          smallint  not null,
    stream_id      uuid      not null,
    event_id       uuid      not null,
    event_version  int       not null,
    event_type     text      not null,
    error          text      not null,
    primary key (projection, version, purpose, stream_id)
);

alter table projection_rebuild_quarantine owner to recorder_projector;
