create or replace function make_events_partitions(since date, until date) returns setof text
language plpgsql security definer as $$
declare
    month     date := date_trunc('month', since);
    partition text;
    lower     uuid;
    upper     uuid;
begin
    while month <= until loop
        partition := to_char(month, '"events_"YYYY_MM');
        lower := uuid_v7_floor(month::timestamp at time zone 'UTC');
        month := month + interval '1 month';
        upper := uuid_v7_floor(month::timestamp at time zone 'UTC');
        continue when to_regclass(partition) is not null;

        -- Conflicts with itself only: appends go on while partitions are made.
        lock table events in share update exclusive mode;
        continue when to_regclass(partition) is not null;
        continue when exists (select from events_default where stream_id >= lower and stream_id < upper);

        -- Made aside and attached: CREATE … PARTITION OF would lock out readers and writers of the whole log.
        execute format('create table %I (like events including defaults including constraints including storage)',
                       partition);
        execute format('alter table events attach partition %I for values from (%L) to (%L)', partition, lower, upper);
        execute format('create trigger refuse_truncate before truncate on %I'
                       ' for each statement execute function refuse_change()', partition);
        execute format('alter table %I enable always trigger refuse_change, enable always trigger refuse_truncate',
                       partition);
        return next partition;
    end loop;
end
$$;

alter function create_time_partitions(date, date) reset lock_timeout;

do $$
begin
    execute format('alter function make_events_partitions(date, date) set search_path = %I, pg_temp', current_schema());
end
$$;

drop function uuid_milliseconds(uuid);
drop function uuid_from_milliseconds(bigint);
