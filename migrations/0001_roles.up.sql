-- The four roles. They belong to the cluster, not to this schema: another database, or another schema of
-- this one, may have made them already, or may be making them at this moment.
--
--   recorder_owner      owns the log's tables; even so it cannot change an event (0003)
--   recorder_appender   appends events, reads the log
--   recorder_projector  reads the log, owns read models and checkpoints
--   recorder_analyst    reads the views and calls the query functions
--
-- A projection's table.sql hands its tables to recorder_projector, and its view.sql grants the views to
-- recorder_analyst: so what is installed later can be read without anybody's default privileges.
--
-- None can log in: a service's own login is made a member of one of them.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['recorder_owner', 'recorder_appender', 'recorder_projector', 'recorder_analyst'] loop
        if to_regrole(wanted) is null then
            begin
                execute format('create role %I nologin', wanted);
            exception
                -- Another migration was faster: the second waits for the first to commit, then learns of it here.
                when duplicate_object or unique_violation then null;
            end;
        end if;
    end loop;

    -- The owner maintains what projections create (partitions), so it is a projector as well.
    if not pg_has_role('recorder_owner', 'recorder_projector', 'member') then
        begin
            grant recorder_projector to recorder_owner;
        exception
            when duplicate_object or unique_violation then null;
        end;
    end if;

    -- Whoever migrates hands tables over to the owner, for which it has to be a member. A superuser is.
    if not pg_has_role(current_user, 'recorder_owner', 'member') then
        begin
            execute format('grant recorder_owner to %I', current_user);
        exception
            when duplicate_object or unique_violation then null;
        end;
    end if;

    execute format('grant usage on schema %I to recorder_owner, recorder_appender, recorder_projector, recorder_analyst',
                   current_schema());
    execute format('grant create on schema %I to recorder_owner, recorder_projector', current_schema());
end
$$;
