create function checkpoint_cursor(old_snapshot pg_snapshot, new_snapshot pg_snapshot, "position" bigint) returns text
language sql immutable parallel safe as $$
    select coalesce(old_snapshot::text, '1:1:') || coalesce('/' || new_snapshot::text || '@' || "position", '')
$$;
