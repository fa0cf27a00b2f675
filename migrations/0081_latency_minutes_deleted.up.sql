-- Minutes of latencies went by the moment at which retention ran, so that an hour and a day were left half; and nothing told
-- afterwards which of them retention had deleted, so that a verification found each of them missing.

-- Before when everything was deleted that the policy is about; null as long as nothing was.
alter table retention_policies add column deleted_before timestamptz;

-- Where it is enabled it may have run.
update retention_policies
set deleted_before = date_trunc('day', clock_timestamp() - keep_for, 'UTC') + interval '24 hours'
where name = 'latency_minutes' and enabled;

-- Deletes minutes of latencies that are old enough, of every version, by whole days (UTC); hours and days stay. With `dry`,
-- only counts them.
create or replace function retain_latency_minutes(batch int, dry boolean) returns bigint language plpgsql volatile as $$
declare
    cutoff   timestamptz := date_trunc('day', retention_cutoff('latency_minutes'), 'UTC');
    minutes  text;
    total    bigint := 0;
    affected bigint;
begin
    for minutes in
        select relname from pg_class
        where relnamespace = current_schema()::regnamespace and relkind = 'p' and relname ~ '^latency_metrics_minutes_v[0-9]+$'
    loop
        if dry then
            execute format('select count(*) from %I where bucket_start < $1', minutes) into affected using cutoff;
        else
            execute format('delete from %1$I t using (select tableoid, ctid from %1$I where bucket_start < $1 limit $2) old'
                           ' where t.tableoid = old.tableoid and t.ctid = old.ctid', minutes)
            using cutoff, batch;
            get diagnostics affected = row_count;
        end if;
        total := total + affected;
    end loop;
    if total > 0 and not dry then
        update retention_policies set deleted_before = greatest(deleted_before, cutoff) where name = 'latency_minutes';
    end if;
    return total;
end
$$;

do $$
begin
    execute format('alter function retain_latency_minutes(int, boolean) set search_path = %I, pg_temp', current_schema());
end
$$;

-- Who verifies read models has to know what retention deleted of them.
grant select on retention_policies, audit_seeds to recorder_projector;
create policy verification on audit_seeds for select to recorder_projector using (true);
