-- Creates monthly partitions (0004), also where a few streams of the month lie in the default partition already: a user's id
-- is no UUIDv7 and falls into any month by chance, and a service's clock may be wrong. Such a stream stays where it is, and
-- the month is partitioned around its millisecond: the first part is named events_YYYY_MM, further ones _2, _3.
--
-- Attaching locks the default partition. Whoever reads the log holds a lock of it, and whoever comes later would wait behind
-- the one that attaches: so it does not wait for long, fails with 55P03, and is to be called again later.
create or replace function make_events_partitions(since date, until date) returns setof text
language plpgsql security definer as $$
declare
    most_strays constant int := 8;
    month     date := date_trunc('month', since);
    name      text;
    partition text;
    first_ms  bigint;
    end_ms    bigint;
    strays    bigint[];
    part      record;
begin
    while month <= until loop
        name := to_char(month, '"events_"YYYY_MM');
        first_ms := extract(epoch from month::timestamp at time zone 'UTC') * 1000;
        month := month + interval '1 month';
        end_ms := extract(epoch from month::timestamp at time zone 'UTC') * 1000;
        continue when to_regclass(name) is not null;

        -- Conflicts with itself only: appends go on while partitions are made.
        lock table events in share update exclusive mode;
        continue when to_regclass(name) is not null;
        strays := array(
            select distinct uuid_milliseconds(stream_id) from events_default
            where stream_id >= uuid_from_milliseconds(first_ms) and stream_id < uuid_from_milliseconds(end_ms)
            limit most_strays + 1
        );
        if cardinality(strays) > most_strays then
            raise warning 'streams of % lie in events_default: the month gets no partition', to_char(month - 1, 'YYYY-MM');
            continue;
        end if;

        for part in
            select row_number() over (order by lower) as number, lower, upper
            from (
                select lag(stray + 1, 1, first_ms) over (order by stray) as lower, stray as upper
                from unnest(strays || end_ms) stray
            ) between_strays
            where lower < upper
        loop
            partition := name || case when part.number > 1 then '_' || part.number else '' end;
            -- Made aside and attached: CREATE … PARTITION OF would lock out readers and writers of the whole log.
            execute format('create table %I (like events including defaults including constraints including storage)', partition);
            execute format('alter table events attach partition %I for values from (%L) to (%L)', partition,
                           uuid_from_milliseconds(part.lower), uuid_from_milliseconds(part.upper));
            execute format('create trigger refuse_truncate before truncate on %I'
                           ' for each statement execute function refuse_change()', partition);
            execute format('alter table %I enable always trigger refuse_change, enable always trigger refuse_truncate',
                           partition);
            return next partition;
        end loop;
    end loop;
end
$$;

-- The first 48 bits of an id, which are milliseconds since 1970 if it is a UUIDv7; and the smallest id that has them.
create function uuid_milliseconds(id uuid) returns bigint language sql immutable strict parallel safe as $$
    select ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
$$;

create function uuid_from_milliseconds(milliseconds bigint) returns uuid language sql immutable strict parallel safe as $$
    select (lpad(to_hex(milliseconds), 12, '0') || '00000000000000000000')::uuid
$$;

do $$
declare
    name text;
begin
    foreach name in array array['make_events_partitions(date, date)', 'create_time_partitions(date, date)'] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
        execute format('alter function %s set lock_timeout = %L', name, '200ms');
    end loop;
end
$$;
