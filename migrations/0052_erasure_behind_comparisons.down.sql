create or replace function erase_keys(subject uuid) returns void language plpgsql volatile as $$
declare
    destroyed bigint;
begin
    lock table projection_checkpoints, projection_rebuilds in share row exclusive mode;
    perform refuse_held(subject);
    update subject_keys set wrapped_key = null, destroyed_at = clock_timestamp()
    where subject_id in (select subject_streams(subject)) and destroyed_at is null;
    get diagnostics destroyed = row_count;
    insert into subject_keys (subject_id, wrapped_key, kek_id, destroyed_at)
    values (subject, null, coalesce((select kek_id from sealing), 'none'), clock_timestamp())
    on conflict (subject_id) do nothing;
    update sealing set generation = generation + 1;
    update projection_checkpoints set updated_at = updated_at;
    update projection_rebuilds set updated_at = updated_at;
    perform count_erased(subject, jsonb_build_object('keys', destroyed));
end
$$;

do $$
begin
    execute format('alter function erase_keys(uuid) set search_path = %I, pg_temp', current_schema());
end
$$;
