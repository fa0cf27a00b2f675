drop function stream_shard(uuid, int);
