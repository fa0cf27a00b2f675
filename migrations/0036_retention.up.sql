-- How long things are kept. `recorder retention run` goes through the policies that are enabled, in batches of bounded size,
-- and passes by what belongs to users under a legal hold.
create table retention_policies (
    name      text      primary key,
    keep_for  interval  not null,
    enabled   boolean   not null,
    constraint retention_policies_known check (name in (
        'expired_caches', 'deleted_documents', 'deleted_models', 'deleted_users', 'latency_minutes', 'audit_logs'
    )),
    constraint retention_policies_keep_for check (keep_for >= interval '0')
);

insert into retention_policies (name, keep_for, enabled) values
    ('expired_caches', '0', true),
    ('deleted_documents', '30 days', true),
    ('deleted_models', '30 days', true),
    ('deleted_users', '30 days', true),
    ('latency_minutes', '90 days', false),
    ('audit_logs', '10 years', false);

-- Behind which row of a chain its older rows were removed, and that row's hash: what is left is verified from there on.
create table audit_seeds (
    chain     uuid         primary key,
    position  bigint       not null,
    hash      bytea        not null,
    changed_at timestamptz not null default clock_timestamp()
);

-- The first row of each chain that does not fit (0012). A chain whose beginning went by age begins with its seed.
create or replace function audit_verify("user" uuid default null)
returns table (user_id uuid, "position" bigint, id uuid, problem text)
language plpgsql stable set search_path from current as $$
#variable_conflict use_column
begin
    return query
        with linked as (
            select a.user_id, a.position, a.id, a.hash, a.previous_hash,
                   coalesce(lag(a.hash) over chain, case when a.position > seed.position then seed.hash end) as before,
                   audit_digest(a.id, a.position, a.user_id, a.action, a.resource, a.result, a.ip_address, a.user_agent,
                                a.metadata, a.timestamp) as digest
            from audit_logs a
            left join audit_seeds seed on seed.chain = coalesce(a.user_id, '00000000-0000-0000-0000-000000000000')
            where "user" is null or a.user_id = "user"
            window chain as (partition by a.user_id order by a.position)
        ), faults as (
            select l.user_id, l.position, l.id,
                   case when l.previous_hash is distinct from l.before then 'does not follow the row before it'
                        else 'was changed' end as problem
            from linked l
            where l.previous_hash is distinct from l.before
               or l.hash is distinct from audit_link(l.previous_hash, null, l.digest)
            union all
            select c.user_id, c.head_position, null, 'the end of the chain is missing'
            from audit_chains c
            where ("user" is null or c.user_id = "user")
              and not exists (select from linked l where l.user_id is not distinct from c.user_id and l.hash = c.head_hash
                              and l.position = c.head_position)
            union all
            select last.user_id, last.position, last.id,
                   case when c.head_position is null then 'its chain has no head' else 'what followed it is missing' end
            from (
                select distinct on (l.user_id) l.user_id, l.position, l.id
                from linked l order by l.user_id, l.position desc
            ) last
            left join audit_chains c on c.user_id is not distinct from last.user_id
            where c.head_position is distinct from last.position
        )
        select distinct on (f.user_id) f.user_id, f.position, f.id, f.problem
        from faults f
        order by f.user_id, f.position;
end
$$;

do $$
begin
    execute format('alter function audit_verify(uuid) set search_path = %I, pg_temp', current_schema());
end
$$;

-- Since when something is too old, by its policy.
create function retention_cutoff(policy text) returns timestamptz language sql stable
return (select clock_timestamp() - keep_for from retention_policies where name = policy);

-- Deletes entities that were deleted long enough ago, of one table, at most `batch` of them, and appends an event for each.
-- With `dry`, only counts them.
create function retain_entities(relation text, noun text, policy text, batch int, dry boolean) returns bigint
language plpgsql volatile as $$
declare
    gone   jsonb;
    total  bigint;
begin
    if relation <> all (array['voice_models', 'face_models', 'knowledge_documents']) then
        raise exception 'no entities are kept in %', relation using errcode = 'invalid_parameter_value';
    end if;
    if dry then
        execute format('select count(*) from %I where deleted_at < $1 and user_id not in (select user_id from legal_holds)',
                       relation) into total using retention_cutoff(policy);
        return total;
    end if;
    lock table legal_holds in share mode;
    execute format(
        'with old as ('
        '    select ctid from %1$I where deleted_at < $1 and user_id not in (select user_id from legal_holds)'
        '    order by user_id, id limit $2 for update skip locked'
        '), removed as (delete from %1$I t using old where t.ctid = old.ctid returning t.user_id, t.id, t.version)'
        ' select coalesce(jsonb_agg(jsonb_build_object(''user'', user_id, ''id'', id, ''version'', version)'
        ' order by user_id, id), ''[]'') from removed', relation)
    into gone using retention_cutoff(policy), batch;
    if gone <> '[]' then
        perform append_events((
            select jsonb_agg(jsonb_build_object(
                'stream', item -> 'user', 'type', noun || '.erased',
                'data', jsonb_build_object('id', item -> 'id', 'userId', item -> 'user', 'version', item -> 'version',
                                           'reason', 'retention', 'result', 'success'),
                'metadata', '{"actor": "retention"}'::jsonb
            ) order by place)
            from jsonb_array_elements(gone) with ordinality e(item, place)
        ));
    end if;
    return jsonb_array_length(gone);
end
$$;

-- Users who were deleted long enough ago and are not erased yet, at most `batch` of them.
create function users_to_erase(batch int) returns setof uuid language sql stable
begin atomic
    select id from users
    where deleted_at < retention_cutoff('deleted_users') and email <> id || '@erased.invalid'
      and id not in (select user_id from legal_holds)
    order by deleted_at, id limit batch;
end;

-- Deletes minutes of latencies that are old enough, of every version; hours and days stay. With `dry`, only counts them.
create function retain_latency_minutes(batch int, dry boolean) returns bigint language plpgsql volatile as $$
declare
    minutes  text;
    total    bigint := 0;
    affected bigint;
begin
    for minutes in
        select relname from pg_class
        where relnamespace = current_schema()::regnamespace and relkind = 'p' and relname ~ '^latency_metrics_minutes_v[0-9]+$'
    loop
        if dry then
            execute format('select count(*) from %I where bucket_start < $1', minutes)
            into affected using retention_cutoff('latency_minutes');
        else
            execute format('delete from %1$I t using (select tableoid, ctid from %1$I where bucket_start < $1 limit $2) old'
                           ' where t.tableoid = old.tableoid and t.ctid = old.ctid', minutes)
            using retention_cutoff('latency_minutes'), batch;
            get diagnostics affected = row_count;
        end if;
        total := total + affected;
    end loop;
    return total;
end
$$;

-- Deletes audited rows that are old enough, of every version: from each chain's beginning on, without a gap, and never its
-- last row, which the next one is linked to. Of a chain's seed, the position and hash of the last row that went are kept.
create function retain_audit_logs(batch int, dry boolean) returns bigint language plpgsql volatile as $$
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
                '        changed_at = clock_timestamp() where excluded.position > seed.position'
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
declare
    name text;
begin
    foreach name in array array['retention_policies', 'audit_seeds'] loop
        execute format('alter table %I owner to recorder_owner', name);
    end loop;
    foreach name in array array[
        'retention_cutoff(text)', 'retain_entities(text, text, text, int, boolean)', 'users_to_erase(int)',
        'retain_latency_minutes(int, boolean)', 'retain_audit_logs(int, boolean)'
    ] loop
        execute format('alter function %s owner to recorder_owner', name);
        execute format('revoke execute on function %s from public', name);
        execute format('grant execute on function %s to recorder_owner', name);
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;

grant select on retention_policies to recorder_analyst;
grant select on audit_seeds to recorder_analyst, recorder_service;
alter table audit_seeds enable row level security;
create policy every on audit_seeds for select to recorder_analyst using (true);
create policy own on audit_seeds for select to recorder_service using (chain = (select acting_user()));
