revoke select on schema_projections from recorder_analyst;
