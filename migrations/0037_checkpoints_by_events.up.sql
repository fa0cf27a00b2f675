-- A checkpoint is told from a later one by how many events it was given; nobody asks for the text of its cursor any more.
drop function checkpoint_cursor(pg_snapshot, pg_snapshot, bigint);
