-- Read models that are partitioned by time, and how long a partition is. table.sql of a projection adds its
-- tables here; daemons call create_time_partitions now and then. Rows outside every partition go to the
-- table's default partition, so a missing partition never stops a projection.
create table time_partitions (
    parent  text primary key,
    step    text not null,
    constraint time_partitions_step check (step in ('month', 'year'))
);

alter table time_partitions owner to recorder_projector;

-- Creates the partitions from the month (year) of `since` to that of `until`, of every table listed above.
--
-- May be called at any time, by several at once. A period whose rows already lie in the default partition
-- stays there. Returns the names of the partitions that it made.
create function create_time_partitions(since date, until date) returns setof text
language plpgsql security definer as $$
declare
    listed     record;
    period     date;
    next       date;
    partition  text;
    in_default boolean;
begin
    for listed in select parent, step from time_partitions where to_regclass(parent) is not null order by parent loop
        period := date_trunc(listed.step, since);
        while period <= until loop
            next := period + ('1 ' || listed.step)::interval;
            partition := listed.parent
                || to_char(period, case listed.step when 'month' then '"_"YYYY_MM' else '"_"YYYY' end);
            if to_regclass(partition) is null then
                execute format('lock table %I in share update exclusive mode', listed.parent);
                execute format('select exists (select from %I where bucket_start >= %L and bucket_start < %L)',
                               listed.parent || '_default', period || ' UTC', next || ' UTC') into in_default;
                if to_regclass(partition) is null and not in_default then
                    execute format('create table %I (like %I including defaults including storage)',
                                   partition, listed.parent);
                    execute format('alter table %I owner to recorder_projector', partition);
                    execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                                   listed.parent, partition, period || ' UTC', next || ' UTC');
                    return next partition;
                end if;
            end if;
            period := next;
        end loop;
    end loop;
end
$$;

alter function create_time_partitions(date, date) owner to recorder_owner;
revoke execute on function create_time_partitions(date, date) from public;
grant execute on function create_time_partitions(date, date) to recorder_projector;

do $$
begin
    execute format('alter function create_time_partitions(date, date) set search_path = %I, pg_temp', current_schema());
end
$$;
