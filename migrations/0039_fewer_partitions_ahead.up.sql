-- Partitions of the log are made three months ahead instead of twelve: whoever reads what is new looks into each of them, at
-- every wake-up. Drops those further ahead in which nothing lies.
do $$
declare
    partition text;
    is_empty  boolean;
begin
    for partition in
        select inhrelid::regclass::text from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = 'events'::regclass and relname > to_char(now() + interval '3 months', '"events_"YYYY_MM')
          and relname ~ '^events_\d{4}_\d{2}$'
    loop
        execute format('select not exists (select from %s)', partition) into is_empty;
        if is_empty then execute format('drop table %s', partition); end if;
    end loop;
end
$$;
