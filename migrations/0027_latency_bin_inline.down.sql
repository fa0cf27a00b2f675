create or replace function latency_bin(ms double precision) returns smallint language sql immutable strict parallel safe as $$
    select case when ms > 0 then greatest(-32767, least(32767, ceil(ln(ms) / 0.014888612493750637)))::smallint
                else '-32768'::smallint end
$$;
