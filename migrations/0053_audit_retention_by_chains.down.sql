create or replace function retain_audit_logs(batch int, dry boolean) returns bigint language plpgsql volatile as $$
declare
    logs     text;
    total    bigint := 0;
    affected bigint;
    nobody   uuid := '00000000-0000-0000-0000-000000000000';
begin
    for logs in
        select relname from pg_class
        where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname ~ '^audit_logs_v[0-9]+$'
    loop
        if dry then
            execute format(
                'select count(*) from %1$I log where timestamp < $1 and chain not in (select user_id from legal_holds)'
                ' and position < (select min(kept.position) from %1$I kept where kept.chain = log.chain'
                '     and (kept.timestamp >= $1 or kept.position = (select max(position) from %1$I l where l.chain = log.chain)))',
                logs) into affected using retention_cutoff('audit_logs');
        else
            -- The heads first: who adds to these chains waits.
            execute format('select from %I where chain not in (select user_id from legal_holds) order by chain for update',
                           replace(logs, 'audit_logs', 'audit_chains'));
            execute format(
                'with old as ('
                '    select chain, position, hash from %1$I log'
                '    where timestamp < $1 and chain not in (select user_id from legal_holds)'
                '      and position < (select min(kept.position) from %1$I kept where kept.chain = log.chain'
                '          and (kept.timestamp >= $1'
                '               or kept.position = (select max(position) from %1$I l where l.chain = log.chain)))'
                '    order by chain, position limit $2'
                '), removed as ('
                '    delete from %1$I log using old where log.chain = old.chain and log.position = old.position'
                '    returning log.chain, log.position, log.hash'
                '), seeds as ('
                '    insert into audit_seeds as seed (chain, position, hash)'
                '    select distinct on (chain) chain, position, hash from removed order by chain, position desc'
                '    on conflict (chain) do update set position = excluded.position, hash = excluded.hash,'
                '        changed_at = clock_timestamp() where excluded.position >= seed.position'
                ')'
                ' select count(*) from removed', logs)
            into affected using retention_cutoff('audit_logs'), batch;
        end if;
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
