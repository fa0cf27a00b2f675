drop function checkpoints_moved(bigint, bigint);
