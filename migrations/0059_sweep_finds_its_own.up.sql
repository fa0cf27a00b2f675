-- 0051 left pg_temp in front of the schema for a function that runs with its owner's rights: a caller's temporary table would be
-- swept in the place of ours.
do $$
begin
    execute format('alter function sweep_caches(int) set search_path = %I, pg_temp', current_schema());
end
$$;
