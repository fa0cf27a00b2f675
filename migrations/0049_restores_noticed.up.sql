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

-- In another cluster, an id that was given out there and not here is not all that means something else: so does one that a
-- transaction has here which may still run.
alter function restored_log_evidence() rename to restored_log_marks;

create function restored_log_evidence() returns table (code text, detail text) language sql stable as $$
    with marks as materialized (select * from restored_log_marks()),
    away as (
        select pg_snapshot_xmin(pg_current_snapshot()) as running
        where exists (select from marks where code = 'system')
    )
    select * from marks
    union all
    select 'transaction', format('it holds transaction %s, and from %s on they may run here', newest.transaction_id, running)
    from away cross join lateral (
        select transaction_id from events
        where transaction_id >= running and transaction_id is distinct from pg_current_xact_id_if_assigned()
        order by transaction_id desc limit 1
    ) newest
    where not exists (select from marks where code = 'transaction')
    union all
    select 'checkpoint', format('a checkpoint of %s has seen transactions from %s on, which may run here', min(projection), running)
    from away join projection_checkpoints on pg_snapshot_xmax(coalesce(new_snapshot, old_snapshot)) > running
    where not exists (select from marks where code = 'checkpoint')
    group by running
$$;

alter function restored_log_evidence() owner to recorder_owner;

do $$
begin
    execute format('alter function restored_log_evidence() set search_path = %I, pg_temp', current_schema());
    execute format('alter function refuse_away_from_home() set search_path = %I, pg_temp', current_schema());
    execute format('create or replace trigger refuse_away_from_home before insert on events for each statement'
                   ' when (current_setting(''recorder.log_home'', true) is distinct from %L::regclass::oid::text)'
                   ' execute function refuse_away_from_home()', format('%I.events', current_schema()));
end
$$;
