revoke select, insert, update, delete on schema_projections from recorder_projector, recorder_owner;
revoke select on schema_migrations from recorder_projector, recorder_owner;
