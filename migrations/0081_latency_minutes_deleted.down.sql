drop policy verification on audit_seeds;
revoke select on retention_policies, audit_seeds from recorder_projector;

create or replace function retain_latency_minutes(batch int, dry boolean) returns bigint language plpgsql volatile as $$
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

do $$
begin
    execute format('alter function retain_latency_minutes(int, boolean) set search_path = %I, pg_temp', current_schema());
end
$$;

alter table retention_policies drop column deleted_before;
