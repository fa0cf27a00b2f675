-- The hint of a change without an event named types that the contract of events does not have (user.created): it names the
-- one that this change calls for.
create or replace function refuse_unlogged_change() returns trigger
language plpgsql volatile security definer as $$
declare
    subject uuid;
begin
    if tg_argv[0] = 'user' then
        if tg_op = 'DELETE' then subject := old.id; else subject := new.id; end if;
    else
        if tg_op = 'DELETE' then subject := old.user_id; else subject := new.user_id; end if;
    end if;
    if not exists (
        select from events
        where stream_id = subject and transaction_id = pg_catalog.pg_current_xact_id()
          and type in (select id from event_types where pg_catalog.starts_with(name, tg_argv[0] || '.'))
    ) then
        raise exception 'a change of % that no event tells of is refused', tg_table_name
            using errcode = 'RC005',
                  hint = pg_catalog.format('Append %s.%s to the user''s stream in the same transaction.', tg_argv[0],
                             case when tg_op = 'UPDATE' then 'updated'
                                  when tg_op = 'DELETE' then 'deleted'
                                  when tg_argv[0] = 'user' then 'registered'
                                  else 'created' end);
    end if;
    return null;
end
$$;

do $$
begin
    execute format('alter function refuse_unlogged_change() set search_path = %I, pg_temp', current_schema());
end
$$;
