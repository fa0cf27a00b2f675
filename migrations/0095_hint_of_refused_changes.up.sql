-- The hint of a refused change spoke of a retention that detaches partitions, which no policy does: the log keeps its
-- events.

create or replace function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: what is recorded is not changed', tg_op, tg_table_name
        using errcode = 'RC003',
              hint = 'Append an event that corrects it. Events stay: `recorder subject erase` destroys the keys of what is'
                     ' personal in them, and `recorder retention run` does so for users whose time is over.';
end
$$;
