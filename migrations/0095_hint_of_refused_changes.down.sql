create or replace function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: what is recorded is not changed', tg_op, tg_table_name
        using errcode = 'RC003',
              hint = 'Append an event that corrects it. Retention detaches whole partitions; erasure destroys keys.';
end
$$;
