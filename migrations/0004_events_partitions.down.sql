-- A partition that holds events stays: the log goes only with the log (0003).
do $$
declare
    partition regclass;
    filled    boolean;
begin
    for partition in
        select inhrelid from pg_inherits
        where inhparent = 'events'::regclass and inhrelid <> 'events_default'::regclass
    loop
        execute format('select exists (select from %s)', partition) into filled;
        if not filled then
            execute format('drop table %s', partition);
        end if;
    end loop;
end
$$;

drop function summarize_events();
drop function create_events_partitions(date, date);
drop function uuid_v7_floor(timestamptz);
