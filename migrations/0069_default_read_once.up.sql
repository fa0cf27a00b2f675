-- Appends stood still while partitions were made: each one that is attached reads the default partition whole, and all of them
-- were attached in one transaction, up to nine for one month. Now one look does for a month, and the program makes each month in
-- a transaction of its own. (Without any look under the lock it would need a constraint that is valid before, in a transaction
-- of its own: if the next one never comes, that month's sessions cannot be appended.)

create or replace function make_events_partitions(since date, until date) returns setof text
language plpgsql volatile security definer as $$
declare
    most_strays constant int := 8;
    month     date := date_trunc('month', since);
    name      text;
    partition text;
    first_ms  bigint;
    end_ms    bigint;
    strays    bigint[];
    lowers    bigint[];
    uppers    bigint[];
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

        select array_agg(lower order by lower), array_agg(upper order by lower) into lowers, uppers
        from (
            select lag(stray + 1, 1, first_ms) over (order by stray) as lower, stray as upper
            from unnest(strays || end_ms) stray
        ) between_strays
        where lower < upper;
        -- Who attaches reads all of the default partition while nobody else may, unless it is known that nothing of the new
        -- one's lies there: several parts need one look at it and not one each.
        if cardinality(lowers) > 1 then
            execute 'alter table events_default add constraint elsewhere check (' || (
                select string_agg(format('(stream_id < %L or stream_id >= %L)',
                                         uuid_from_milliseconds(lower), uuid_from_milliseconds(upper)), ' and ')
                from unnest(lowers, uppers) part(lower, upper)
            ) || ')';
        end if;

        for part in 1 .. cardinality(lowers) loop
            partition := name || case when part > 1 then '_' || part else '' end;
            -- Made aside and attached: CREATE … PARTITION OF would lock out readers and writers of the whole log.
            execute format('create table %I (like events including defaults including constraints including storage)', partition);
            execute format('alter table events attach partition %I for values from (%L) to (%L)', partition,
                           uuid_from_milliseconds(lowers[part]), uuid_from_milliseconds(uppers[part]));
            execute format('create trigger refuse_truncate before truncate on %I'
                           ' for each statement execute function refuse_change()', partition);
            execute format('alter table %I enable always trigger refuse_change, enable always trigger refuse_truncate',
                           partition);
            return next partition;
        end loop;
        if cardinality(lowers) > 1 then
            alter table events_default drop constraint elsewhere;
        end if;
    end loop;
end
$$;

do $$
begin
    execute format('alter function make_events_partitions(date, date) set search_path = %I, pg_temp', current_schema());
end
$$;
alter function make_events_partitions(date, date) set lock_timeout = '200ms';
