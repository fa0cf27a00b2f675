-- The smallest UUIDv7 of a moment (RFC 9562: the first 48 bits are milliseconds since 1970).
create function uuid_v7_floor(moment timestamptz) returns uuid language sql immutable strict parallel safe as $$
    select (lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Creates the monthly partitions of events from the month of `since` to the month of `until`, both included.
--
-- What is there already is left alone, so it may be called at any time and by several at once. A month
-- whose streams already lie in the default partition stays there (moving them would be a change to the
-- log). Returns the names of the partitions that it made.
create function create_events_partitions(since date, until date) returns setof text
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

alter function create_events_partitions(date, date) owner to recorder_owner;
revoke execute on function create_events_partitions(date, date) from public;
grant execute on function create_events_partitions(date, date) to recorder_appender, recorder_projector;

-- A function that runs with its owner's rights must not find a caller's temporary tables before ours.
do $$
begin
    execute format('alter function create_events_partitions(date, date) set search_path = %I, pg_temp', current_schema());
end
$$;

select create_events_partitions((now() - interval '1 month')::date, (now() + interval '12 months')::date);

-- Brings the summaries of positions up to date, so that who reads from far behind reads only what it needs. VACUUM does the
-- same; what is new since then is read whole with every span. Returns how many ranges of blocks it summarized.
create function summarize_events() returns bigint language sql volatile security definer as $$
    select case when pg_is_in_recovery() then 0 else (
        select coalesce(sum(brin_summarize_new_values(indexrelid)), 0)::bigint
        from pg_partition_tree('events') join pg_index on indrelid = relid
        join pg_class on pg_class.oid = indexrelid join pg_am on pg_am.oid = relam
        where isleaf and amname = 'brin'
    ) end
$$;

alter function summarize_events() owner to recorder_owner;
revoke execute on function summarize_events() from public;
grant execute on function summarize_events() to recorder_appender, recorder_projector;

do $$
begin
    execute format('alter function summarize_events() set search_path = %I, pg_temp', current_schema());
end
$$;
