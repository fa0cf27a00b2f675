-- The bin of a latency, as before; but a function that is STRICT and holds a CASE cannot be put into the query that calls
-- it, and was run as a query of its own for each value: a third of the time of folding latencies.
create or replace function latency_bin(ms double precision) returns smallint language sql immutable parallel safe as $$
    select case when ms > 0 then greatest(-32767, least(32767, ceil(ln(ms) / 0.014888612493750637)))::smallint
                when ms <= 0 then '-32768'::smallint end
$$;
