-- Dropping the log is the one way to lose it, so it takes more than stepping down one migration too many.
do $$
begin
    if exists (select from events) and coalesce(current_setting('recorder.drop_events', true), '') <> 'yes' then
        raise exception 'the log holds events, and this step would drop them'
            using errcode = 'RC003', hint = 'If that is what you want: PGOPTIONS="-c recorder.drop_events=yes".';
    end if;
end
$$;

drop table events;
drop sequence events_position;
