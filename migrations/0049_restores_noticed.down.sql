drop function restored_log_evidence();
alter function restored_log_marks() rename to restored_log_evidence;

create or replace function refuse_away_from_home() returns trigger language plpgsql as $$
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

do $$
begin
    execute format('alter function refuse_away_from_home() set search_path = %I, pg_temp', current_schema());
    execute format('create or replace trigger refuse_away_from_home before insert on events for each statement'
                   ' when (current_setting(''recorder.log_home'', true) is distinct from %L)'
                   ' execute function refuse_away_from_home()', current_schema());
end
$$;
