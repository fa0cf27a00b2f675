-- Takes back what the roles may do in this schema. The roles stay: they are the cluster's, and another
-- installation may stand on them. Whoever wants them gone drops them by hand when no database uses them.
do $$
begin
    execute format('revoke all on schema %I from recorder_owner, recorder_appender, recorder_projector, recorder_analyst',
                   current_schema());
end
$$;
