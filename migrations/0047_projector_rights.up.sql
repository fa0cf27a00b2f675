-- What a login needs that is a member of recorder_projector, or of recorder_owner, and of nothing else: the tables that the
-- program keeps its files' checksums in are made before the first migration.
grant select, insert, update, delete on schema_projections to recorder_projector, recorder_owner;
grant select on schema_migrations to recorder_projector, recorder_owner;
