-- Fails unless all checkpoints were moved that were meant to be: what a projector sends in front of its statements, so that
-- it need not wait for the answer before it sends them and commits.
create function checkpoints_moved(moved bigint, expected bigint) returns void language plpgsql as $$
begin
    if moved <> expected then
        raise exception '% of % checkpoints were moved: another worker has taken a shard over', moved, expected
            using errcode = 'RP001';
    end if;
end
$$;
