-- How far each projection is: the last two snapshots, and the position up to which the window between them
-- is applied. It changes in the transaction that changes the read model, guarded by its old value.
create table projection_checkpoints (
    projection    text        not null,
    version       int         not null,
    shard         smallint    not null default 0,
    old_snapshot  pg_snapshot,
    new_snapshot  pg_snapshot,
    position      bigint      not null default 0,
    events        bigint      not null default 0,
    updated_at    timestamptz not null default clock_timestamp(),
    primary key (projection, version, shard)
) with (fillfactor = 20);  -- few rows, each rewritten by every batch

alter table projection_checkpoints owner to recorder_projector;
grant select on projection_checkpoints to recorder_analyst, recorder_appender;
