-- A row of a transaction that stays open comes late, and takes its place by its position. Where retention had deleted what
-- stood before that place, the row began its chain anew instead of following the seed; and where it came before the last row
-- that had gone, and went in its turn, the seed stayed with a row to which nothing was linked any more. Either way the chain
-- looked as if somebody had changed it.

-- `position` and `hash` are of the row that went last, to which the first row left is linked. A late row may go after rows
-- that stood behind it: up to where rows have gone is another thing.
alter table audit_seeds add column removed_to bigint;
update audit_seeds set removed_to = position;
alter table audit_seeds alter column removed_to set not null;

-- The hash that a chain begins with before a position, if what stood there went by age. A set of at most one, which the planner
-- puts in the place of its call.
create function audit_seed(chain uuid, before bigint) returns setof bytea language sql stable parallel safe rows 1
begin atomic
    select seed.hash from audit_seeds seed where seed.chain = audit_seed.chain and seed.position < audit_seed.before;
end;

do $$
begin
    alter function audit_seed(uuid, bigint) owner to recorder_owner;
    revoke execute on function audit_seed(uuid, bigint) from public;
    grant execute on function audit_seed(uuid, bigint) to recorder_owner, recorder_projector;
end
$$;

-- A batch of old audited rows is that of a few chains: only those are locked, and each is looked at once. See 0053.
--
-- The seed is the row that went last, whatever went before it, since that is what the first row left is linked to. Only the
-- version that the views read moves it: another one may lag, or be linked otherwise.
create or replace function retain_audit_logs(batch int, dry boolean) returns bigint language plpgsql volatile as $$
declare
    logs     text;
    heads    text;
    is_read  boolean;
    old      uuid[];
    total    bigint := 0;
    affected bigint;
begin
    if not dry then
        lock table legal_holds in share mode;
    end if;
    for logs, is_read in
        select relname, not exists (
            select from schema_projections
            where name = 'audit_logs' and view_checksum is not null and relname <> 'audit_logs_v' || version)
        from pg_class
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
            '    insert into audit_seeds as seed (chain, position, hash, removed_to)'
            '    select distinct on (chain) chain, position, hash, position from removed order by chain, position desc'
            '    on conflict (chain) do update set position = excluded.position, hash = excluded.hash,'
            '        removed_to = greatest(seed.removed_to, excluded.removed_to), changed_at = clock_timestamp()'
            '    where $4'
            ') select count(*) from removed' end,
            logs) into affected using retention_cutoff('audit_logs'), case when dry then null else batch end, old, is_read;
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
