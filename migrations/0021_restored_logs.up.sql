-- Transaction ids are a cluster's own. A logical dump that is restored into another cluster brings the ids of the
-- first along: in events and in the snapshots of checkpoints. There they say something else, so that a cursor would
-- skip events or wait for them for ever. Hence a log knows the cluster that it is at home in; away from home it
-- takes no event (below), is not projected (restored_log_evidence), and can be made at home (repair_restored_log).
create table log_home (
    is_home            boolean     primary key default true check (is_home),  -- one row
    system_identifier  bigint      not null,
    since              timestamptz not null default clock_timestamp()
);

insert into log_home (system_identifier) select system_identifier from pg_control_system();

-- What was done to logs that came from elsewhere: the one way in which stored events are ever updated, and its trace.
create table log_repairs (
    id                 bigint      generated always as identity primary key,
    repaired_at        timestamptz not null default clock_timestamp(),
    repaired_by        text        not null default session_user,
    action             text        not null check (action in ('adopted', 'rewritten')),
    evidence           text[]      not null,
    from_system        bigint      not null,
    to_system          bigint      not null,
    first_position     bigint,       -- the range of events
    last_position      bigint,
    events             bigint      not null,  -- how many got another transaction id
    first_transaction  xid8,         -- the ids that were there
    last_transaction   xid8,
    cursors            int         not null   -- snapshots that were written anew
);

create trigger refuse_change before update or delete on log_repairs for each row execute function refuse_change();
create trigger refuse_truncate before truncate on log_repairs for each statement execute function refuse_change();
alter table log_repairs enable always trigger refuse_change, enable always trigger refuse_truncate;

alter table log_home owner to recorder_owner;
alter table log_repairs owner to recorder_owner;
grant select on log_home, log_repairs to recorder_appender, recorder_projector, recorder_analyst;
grant select on sequence events_position to recorder_appender, recorder_projector;

-- What shows that the log was restored from a dump of another cluster; no row when it is at home. The cluster's name
-- alone does not tell: a dump of before this migration does not know its home.
create function restored_log_evidence() returns table (code text, detail text) language sql stable as $$
    select 'system', format('it was written in the cluster %s, and this is %s', home.system_identifier, here.system_identifier)
    from log_home home, pg_control_system() here
    where home.system_identifier <> here.system_identifier
    union all
    select 'transaction', format('it holds transaction %s, and this cluster is only at %s', newest.transaction_id,
                                 pg_snapshot_xmax(pg_current_snapshot()))
    from (
        select transaction_id from events where transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
            and transaction_id is distinct from pg_current_xact_id_if_assigned()
        order by transaction_id desc limit 1
    ) newest
    union all
    select 'checkpoint', format('a checkpoint of %s stands at transaction %s, and this cluster is only at %s',
                                min(projection), max(pg_snapshot_xmax(coalesce(new_snapshot, old_snapshot))::text::numeric),
                                pg_snapshot_xmax(pg_current_snapshot()))
    from projection_checkpoints
    where pg_snapshot_xmax(coalesce(new_snapshot, old_snapshot)) > pg_snapshot_xmax(pg_current_snapshot())
    having count(*) > 0
    union all
    select 'sequence', format('its last event stands at position %s, and the next one would get %s', newest.position,
                              sequence.last_value + sequence.is_called::int)
    from (
        select max(position) as position from events
        where transaction_id = (select transaction_id from events order by transaction_id desc limit 1)
    ) newest, events_position sequence
    where newest.position >= sequence.last_value + sequence.is_called::int
$$;

-- Refuses to append to a log that is away from home: its new transaction ids would lie below the old ones, where
-- cursors do not look any more. Asked once in a session: the trigger's WHEN is all that it costs afterwards.
create function refuse_away_from_home() returns trigger language plpgsql as $$
declare
    seen text;
begin
    select string_agg(detail, '; ') into seen from restored_log_evidence();
    if seen is not null then
        raise exception 'the log was restored from another cluster: %', seen
            using errcode = 'RC004', hint = 'Run recorder repair restored-log; nothing can be appended before.';
    end if;
    perform set_config('recorder.log_home', tg_table_schema, false);
    return null;
end
$$;

alter function restored_log_evidence() owner to recorder_owner;
alter function refuse_away_from_home() owner to recorder_owner;

do $$
begin
    execute format('alter function restored_log_evidence() set search_path = %I, pg_temp', current_schema());
    execute format('alter function refuse_away_from_home() set search_path = %I, pg_temp', current_schema());
    execute format('create trigger refuse_away_from_home before insert on events for each statement'
                   ' when (current_setting(''recorder.log_home'', true) is distinct from %L)'
                   ' execute function refuse_away_from_home()', current_schema());
end
$$;
