create or replace function retain_audit_logs(batch int, dry boolean) returns bigint language plpgsql volatile as $$
declare
    logs     text;
    heads    text;
    old      uuid[];
    total    bigint := 0;
    affected bigint;
begin
    if not dry then
        lock table legal_holds in share mode;
    end if;
    for logs in
        select relname from pg_class
        where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname ~ '^audit_logs_v[0-9]+$'
    loop
        heads := replace(logs, 'audit_logs', 'audit_chains');
        execute format(
            'select array('
            '    select head.chain from %2$I head cross join lateral ('
            '        select position, timestamp from %1$I log where log.chain = head.chain order by position limit 1'
            '    ) first'
            '    where first.timestamp < $1 and head.chain not in (select user_id from legal_holds)'
            '      and exists (select from %1$I log where log.chain = head.chain and log.position > first.position)'
            '    limit $2)',
            logs, heads) into old using retention_cutoff('audit_logs'), case when dry then null else batch end;
        if not dry then
            -- The heads first: who adds to these chains waits.
            execute format('select from %I where chain = any($1) order by chain for update', heads) using old;
        end if;
        execute format(
            'with cuts as ('
            '    select chain, coalesce(('
            '        select position from %1$I log where log.chain = chosen.chain and timestamp >= $1 order by position limit 1'
            '    ), (select max(position) from %1$I log where log.chain = chosen.chain)) as position'
            '    from unnest($3) chosen(chain)'
            '    where chain not in (select user_id from legal_holds)'
            '), old as ('
            '    select log.chain, log.position from cuts'
            '    join %1$I log on log.chain = cuts.chain and log.position < cuts.position'
            '    order by log.chain, log.position limit $2'
            ') ' || case when dry then 'select count(*) from old' else
            ', removed as ('
            '    delete from %1$I log using old where log.chain = old.chain and log.position = old.position'
            '    returning log.chain, log.position, log.hash'
            '), seeds as ('
            '    insert into audit_seeds as seed (chain, position, hash)'
            '    select distinct on (chain) chain, position, hash from removed order by chain, position desc'
            '    on conflict (chain) do update set position = excluded.position, hash = excluded.hash,'
            '        changed_at = clock_timestamp() where excluded.position >= seed.position'
            ') select count(*) from removed' end,
            logs) into affected using retention_cutoff('audit_logs'), case when dry then null else batch end, old;
        total := total + affected;
    end loop;
    return total;
end
$$;

do $$
begin
    execute format('alter function retain_audit_logs(int, boolean) set search_path = %I, pg_temp', current_schema());
end
$$;

drop function audit_seed(uuid, bigint);
alter table audit_seeds drop column removed_to;
