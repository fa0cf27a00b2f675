-- A restore that is noticed whatever was open meanwhile: a session that was told that the log is at home is told so of this
-- table, not of one of the same name that a restore puts in its place.
create or replace function refuse_away_from_home() returns trigger language plpgsql as $$
declare
    seen text;
begin
    select string_agg(detail, '; ') into seen from restored_log_evidence();
    if seen is not null then
        raise exception 'the log was restored from another cluster: %', seen
            using errcode = 'RC004', hint = 'Run recorder repair restored-log; nothing can be appended before.';
    end if;
    perform set_config('recorder.log_home', tg_relid::text, false);
    return null;
end
$$;

do $$
begin
    execute format('alter function refuse_away_from_home() set search_path = %I, pg_temp', current_schema());
    execute format('create or replace trigger refuse_away_from_home before insert on events for each statement'
                   ' when (current_setting(''recorder.log_home'', true) is distinct from %L::regclass::oid::text)'
                   ' execute function refuse_away_from_home()', format('%I.events', current_schema()));
end
$$;

-- As in 0022, but nothing is adopted that a running transaction's id would make mean something else, and nothing is repaired
-- of which the restore lost the policies.
create or replace function repair_restored_log(restored_through bigint default null) returns log_repairs language plpgsql as $$
declare
    found_evidence text[];
    done           log_repairs;
    now_running    pg_snapshot;
    stored         record;
    partition      regclass;
    given          bigint;
    is_running     boolean := false;
    is_here        boolean;
begin
    if to_regrole('recorder_owner') is null or not exists (select from pg_policy where polrelid = 'events'::regclass) then
        raise exception 'the restore left out what the recorder''s roles may do: there are no policies'
            using errcode = 'RC004',
                  hint = 'Restore the roles first (pg_dumpall --roles-only), then the dump again, into an empty database.';
    end if;
    -- Readers go on; appenders and projectors wait.
    lock table log_home, events in share row exclusive mode;
    for stored in select * from stored_snapshot_columns() loop
        execute format('lock table %s in share row exclusive mode', stored.relation);
    end loop;
    found_evidence := array(select code from restored_log_evidence() order by code);
    if found_evidence = '{}' then
        return null;
    end if;

    select home.system_identifier, here.system_identifier into done.from_system, done.to_system
    from log_home home, pg_control_system() here;
    -- min() knows no xid8; the index does.
    select min(position), max(position) into done.first_position, done.last_position from events;
    done.first_transaction := (select transaction_id from events order by transaction_id limit 1);
    done.last_transaction := (select transaction_id from events order by transaction_id desc limit 1);
    done.events := 0;
    done.cursors := 0;
    done.action := 'adopted';

    -- An id that a transaction has here that still runs, or that is not given out yet, means another one here.
    if 'system' = any (found_evidence) then
        is_running := exists (select from events where transaction_id >= pg_snapshot_xmin(pg_current_snapshot())
                              and transaction_id is distinct from pg_current_xact_id_if_assigned());
        for stored in select * from stored_snapshot_columns() loop
            execute format('select exists (select from %s where pg_snapshot_xmax(%I) > pg_snapshot_xmin(pg_current_snapshot()))',
                           stored.relation, stored.name) into is_here;
            is_running := is_running or is_here;
        end loop;
    end if;

    if is_running or found_evidence && array['transaction', 'checkpoint'] then
        done.action := 'rewritten';
        if not 'system' = any (found_evidence) and restored_through is null then
            raise exception 'this cluster is noted as the log''s home, so that events may have been appended since the restore'
                using errcode = 'RC004',
                      hint = 'Say up to which position the log was restored (the last position of the dump, or of the log if'
                             ' nothing was appended since).';
        end if;
        perform pg_current_xact_id();
        now_running := pg_current_snapshot();

        create temporary table restored_snapshots on commit drop as
            select null::int as number, null::pg_snapshot as snapshot limit 0;
        for stored in select * from stored_snapshot_columns() loop
            execute format('insert into restored_snapshots (snapshot) select %I from %s where %1$I is not null',
                           stored.name, stored.relation);
        end loop;
        create temporary table restored_cursors on commit drop as
            select row_number() over (order by snapshot)::int as number, snapshot::pg_snapshot, null::pg_snapshot as here
            from (select distinct snapshot::text from restored_snapshots) as distinct_snapshots(snapshot);
        -- Which snapshots see a transaction, as one digit for each: the transactions of one class become one.
        create temporary table restored_transactions on commit drop as
            select transaction_id, coalesce(seen.class, '') as class
            from (select distinct transaction_id from events where position <= coalesce(restored_through, position)) stored_ids
            cross join lateral (
                select string_agg(pg_visible_in_snapshot(transaction_id, snapshot)::int::text, '' order by number) as class
                from restored_cursors
            ) seen;
        -- What was appended here since has been seen by nobody.
        create temporary table restored_classes on commit drop as
            select class, (2 + row_number() over (order by class))::text::xid8 as id
            from (
                select class from restored_transactions
                union
                select repeat('0', (select count(*)::int from restored_cursors))
            ) classes;
        analyze restored_transactions;
        if (select max(id::text::numeric) from restored_classes) >= pg_snapshot_xmin(now_running)::text::numeric then
            raise exception 'the cluster is too young: it has finished only % transactions', pg_snapshot_xmin(now_running)
                using errcode = 'RC004', hint = 'Let it work for a while (any writing transactions), and repair then.';
        end if;

        for partition in select relid from pg_partition_tree('events') loop
            execute format('alter table only %s disable trigger refuse_change', partition);
        end loop;
        update events set transaction_id = classes.id
        from restored_transactions transactions join restored_classes classes using (class)
        where events.transaction_id = transactions.transaction_id and events.position <= coalesce(restored_through, events.position)
          and events.transaction_id <> classes.id;
        get diagnostics done.events = row_count;
        update events set transaction_id = (select id from restored_classes where class !~ '1')
        where position > restored_through;
        get diagnostics given = row_count;
        done.events := done.events + given;
        for partition in select relid from pg_partition_tree('events') loop
            execute format('alter table only %s enable always trigger refuse_change', partition);
        end loop;

        update restored_cursors set here = (
            select coalesce(min(id::numeric), pg_snapshot_xmax(now_running)::text::numeric) || ':'
                || pg_snapshot_xmax(now_running) || ':' || coalesce(string_agg(id, ',' order by id::numeric), '')
            from (
                select id::text from restored_classes where substr(class, number, 1) = '0'
                union
                select id::text from pg_snapshot_xip(now_running) id
            ) unseen
        )::pg_snapshot;
        for stored in select * from stored_snapshot_columns() loop
            execute format('update %s as stored set %I = cursor.here from restored_cursors as cursor'
                           ' where stored.%2$I::text = cursor.snapshot::text', stored.relation, stored.name);
        end loop;
        select count(*) into done.cursors from restored_cursors;
    end if;

    -- Never back: a number that was given out stays given.
    perform setval('events_position', greatest(done.last_position, last_value), true)
    from events_position where done.last_position is not null and 'sequence' = any (found_evidence);
    update log_home set system_identifier = done.to_system, since = clock_timestamp();
    insert into log_repairs (action, evidence, from_system, to_system, first_position, last_position, events,
                             first_transaction, last_transaction, cursors)
    values (done.action, found_evidence, done.from_system, done.to_system, done.first_position, done.last_position, done.events,
            done.first_transaction, done.last_transaction, done.cursors)
    returning * into done;
    return done;
end
$$;

do $$
begin
    execute format('alter function repair_restored_log(bigint) set search_path = %I, pg_temp', current_schema());
end
$$;
