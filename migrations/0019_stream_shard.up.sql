-- The shard of a stream: the last byte of its id, random in every version of UUID, modulo the number of shards.
create function stream_shard(stream uuid, shards int) returns int language sql immutable strict parallel safe as $$
    select get_byte(uuid_send(stream), 15) % shards
$$;
