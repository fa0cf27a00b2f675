-- A hold was acknowledged while audited rows of its user, or his keys, were going, and they went on to go. Both keep holds waiting
-- now, as deleted entities do: a hold finds what they have done, or they find the hold.

-- A batch of old audited rows is that of a few chains: only those are locked, and each is looked at once. See 0053.
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

-- Destroys the keys of a user and of his streams. Of the locks and their times see 0052.
create or replace function erase_keys(subject uuid) returns void language plpgsql volatile as $$
declare
    destroyed bigint;
begin
    lock table projection_rebuilds in share row exclusive mode;
    perform set_config('lock_timeout', '2s', true);
    lock table projection_checkpoints in share row exclusive mode;
    lock table legal_holds in share mode;
    perform refuse_held(subject);
    update subject_keys set wrapped_key = null, destroyed_at = clock_timestamp()
    where subject_id in (select subject_streams(subject)) and destroyed_at is null;
    get diagnostics destroyed = row_count;
    insert into subject_keys (subject_id, wrapped_key, kek_id, destroyed_at)
    values (subject, null, coalesce((select kek_id from sealing), 'none'), clock_timestamp())
    on conflict (subject_id) do nothing;
    update sealing set generation = generation + 1;
    update projection_checkpoints set updated_at = updated_at;
    update projection_rebuilds set updated_at = updated_at;
    perform count_erased(subject, jsonb_build_object('keys', destroyed));
end
$$;

do $$
begin
    execute format('alter function retain_audit_logs(int, boolean) set search_path = %I, pg_temp', current_schema());
    execute format('alter function erase_keys(uuid) set search_path = %I, pg_temp', current_schema());
    alter function erase_keys(uuid) set lock_timeout = '10s';
end
$$;
