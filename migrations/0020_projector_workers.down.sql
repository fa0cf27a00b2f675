-- Read models that were built in more than one shard have to be built anew by an earlier program.
drop table projection_quarantine;
drop function checkpoint_cursor(pg_snapshot, pg_snapshot, bigint);
alter table projection_checkpoints
    drop constraint projection_checkpoints_shard,
    drop column error_at,
    drop column error,
    drop column epoch,
    drop column owner,
    drop column shards;
drop table projector_workers;
