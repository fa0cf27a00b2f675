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
                  hint = pg_catalog.format('Append %s.created, %1$s.updated, %1$s.deleted … to the user''s stream in the same'
                                ' transaction.', tg_argv[0]);
    end if;
    return null;
end
$$;

do $$
begin
    execute format('alter function refuse_unlogged_change() set search_path = %I, pg_temp', current_schema());
end
$$;
