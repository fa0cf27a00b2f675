do $$
begin
    execute format('alter function sweep_caches(int) set search_path = %I', current_schema());
end
$$;
