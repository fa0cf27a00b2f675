-- A client was told to wait a second and was refused for an hour, because the server's clock had been set back; and limits that no
-- clock can reckon with ended with an error of the server's insides.

create or replace function take_token(
    endpoint text, capacity double precision, refill_per_second double precision,
    cost double precision default 1, "window" interval default '1 minute',
    out allowed boolean, out remaining double precision, out retry_after interval, out window_started_at timestamptz,
    out window_count bigint
) language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
    acting constant uuid        := acting_user();
    moment constant timestamptz := clock_timestamp();
begin
    if acting is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif (octet_length(take_token.endpoint) between 1 and 200) is not true then
        raise exception 'an endpoint has a name of 1 to 200 bytes' using errcode = 'invalid_parameter_value';
    elsif (take_token.capacity > 0 and take_token.capacity <= 1e12
           and take_token.refill_per_second between 1e-12 and 1e12) is not true then
        raise exception 'a limit needs a capacity and a refill above 0, both at most 1e12, and a refill of at least 1e-12 a second'
            using errcode = 'invalid_parameter_value';
    elsif not coalesce(take_token.cost > 0 and take_token.cost <= take_token.capacity, false) then
        raise exception 'a request takes more than 0 tokens and at most the capacity of its bucket'
            using errcode = 'invalid_parameter_value', hint = 'A larger one would never be let through.';
    elsif (take_token."window" > interval '0' and take_token."window" <= interval '100 years') is not true then
        raise exception 'a window is longer than nothing and not longer than 100 years' using errcode = 'invalid_parameter_value';
    end if;

    insert into rate_limits as bucket (
        user_id, endpoint, tokens, capacity, refill_per_second, taken_at, full_at,
        window_started_at, window_count, window_refused, allowed)
    values (
        acting, take_token.endpoint, take_token.capacity - take_token.cost, take_token.capacity,
        take_token.refill_per_second, moment,
        moment + make_interval(secs => least(take_token.capacity / take_token.refill_per_second, 1e9)),
        moment, 1, 0, true)
    on conflict (user_id, endpoint) do update set
        tokens = bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
            - case when bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
                        >= take_token.cost then take_token.cost else 0 end,
        capacity = excluded.capacity,
        refill_per_second = excluded.refill_per_second,
        taken_at = greatest(moment, bucket.taken_at),
        full_at = greatest(excluded.full_at, bucket.full_at),
        window_started_at = case when moment >= bucket.window_started_at + take_token."window" then moment
                                 else bucket.window_started_at end,
        window_count = case when moment >= bucket.window_started_at + take_token."window" then 0
                            else bucket.window_count end
            + (bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
               >= take_token.cost)::int,
        window_refused = case when moment >= bucket.window_started_at + take_token."window" then 0
                              else bucket.window_refused end
            + (bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
               < take_token.cost)::int,
        allowed = bucket_level(bucket.tokens, excluded.capacity, excluded.refill_per_second, bucket.taken_at, moment)
            >= take_token.cost
    returning bucket.allowed, bucket.tokens,
        case when bucket.allowed then interval '0'
             -- No token flows in before the clock is where the bucket has seen it; the longest wait is about 30 years.
             else make_interval(secs => least((take_token.cost - bucket.tokens) / bucket.refill_per_second, 1e9))
                  + greatest(bucket.taken_at - moment, interval '0') end,
        bucket.window_started_at, bucket.window_count
    into take_token.allowed, take_token.remaining, take_token.retry_after, take_token.window_started_at,
        take_token.window_count;
end
$$;

do $$
begin
    execute format('alter function take_token(text, double precision, double precision, double precision, interval)'
                   ' set search_path = %I, pg_temp', current_schema());
end
$$;
