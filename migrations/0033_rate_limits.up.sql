-- Rate limits: a bucket of tokens for each user and endpoint. A bucket holds at most its capacity and fills at a
-- steady rate; a request that finds too little is refused and told how long to wait.
--
-- Unlogged: a crash of the server fills the buckets, which costs at most one burst, and taking a token then
-- waits for no disk. A bucket that nobody has used for an hour since it became full is swept: a new one is the same.
create unlogged table rate_limits (
    user_id            uuid              not null,
    endpoint           text              not null,
    tokens             double precision  not null,
    capacity           double precision  not null,
    refill_per_second  double precision  not null,
    taken_at           timestamptz       not null,
    full_at            timestamptz       not null,  -- by then it is full, whatever was left
    window_started_at  timestamptz       not null,
    window_count       bigint            not null,  -- requests that were let through since then
    window_refused     bigint            not null,
    allowed            boolean           not null,  -- what the last request was told
    primary key (user_id, endpoint),
    constraint rate_limits_endpoint check (octet_length(endpoint) between 1 and 200),
    -- The limit itself, whatever else is wrong.
    constraint rate_limits_tokens check (tokens >= 0 and tokens <= capacity)
) with (fillfactor = 50);

alter table rate_limits owner to recorder_owner;
alter table rate_limits enable row level security;
create policy own on rate_limits for select to recorder_service using (user_id = (select acting_user()));
-- EXPLAIN tells how many rows the planner expects, from samples of everybody's values. Of these it keeps none.
alter table rate_limits alter user_id set statistics 0, alter endpoint set statistics 0,
    alter window_count set statistics 0, alter window_refused set statistics 0;
grant select on rate_limits to recorder_service;

-- How many tokens a bucket holds at a moment. One expression, so that the planner puts it into the statement.
create function bucket_level(
    tokens double precision, capacity double precision, refill_per_second double precision, since timestamptz, at timestamptz
) returns double precision language sql immutable parallel safe
return least(capacity, tokens + greatest(0, extract(epoch from at - since)::double precision) * refill_per_second);

-- Takes tokens from the acting user's bucket of an endpoint, or refuses. One statement, one locked row: however
-- many ask at once, no more is let through than the capacity and what flowed in since.
--
-- Time is read once, before the row's lock is waited for, and a bucket's time never goes back: so a waiter finds
-- at most what was there when it asked. `retry_after` is how long until so many tokens are there if nobody
-- else takes any. A window is for reports: it begins with the first request after the last one ended.
create function take_token(
    endpoint text, capacity double precision, refill_per_second double precision,
    cost double precision default 1, "window" interval default '1 minute',
    out allowed boolean, out remaining double precision, out retry_after interval, out window_started_at timestamptz,
    out window_count bigint
) language plpgsql volatile security definer set search_path from current as $$
#variable_conflict use_column
declare
    acting constant uuid        := acting_user();
    moment constant timestamptz := clock_timestamp();
begin
    if acting is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif not coalesce(take_token.capacity > 0 and take_token.capacity < 'infinity'
                       and take_token.refill_per_second > 0 and take_token.refill_per_second < 'infinity', false) then
        raise exception 'a limit needs a capacity and a refill above 0' using errcode = 'invalid_parameter_value';
    elsif not coalesce(take_token.cost > 0 and take_token.cost <= take_token.capacity, false) then
        raise exception 'a request takes more than 0 tokens and at most the capacity of its bucket'
            using errcode = 'invalid_parameter_value', hint = 'A larger one would never be let through.';
    elsif not coalesce(take_token."window" > interval '0', false) then
        raise exception 'a window is longer than nothing' using errcode = 'invalid_parameter_value';
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
             else make_interval(secs => (take_token.cost - bucket.tokens) / bucket.refill_per_second) end,
        bucket.window_started_at, bucket.window_count
    into take_token.allowed, take_token.remaining, take_token.retry_after, take_token.window_started_at,
        take_token.window_count;
end
$$;

-- Deletes buckets that have been full for an hour, at most `batch`. Call it until it returns less.
create function sweep_rate_limits(batch int default 1000) returns bigint
language plpgsql volatile security definer set search_path from current as $$
declare
    swept bigint;
begin
    delete from rate_limits where ctid = any (array(
        select b.ctid from rate_limits b where b.full_at < now() - interval '1 hour' limit batch for update skip locked));
    get diagnostics swept = row_count;
    return swept;
end
$$;

alter function bucket_level(double precision, double precision, double precision, timestamptz, timestamptz) owner to recorder_owner;
alter function take_token(text, double precision, double precision, double precision, interval) owner to recorder_owner;
alter function sweep_rate_limits(int) owner to recorder_owner;
revoke execute on function take_token(text, double precision, double precision, double precision, interval),
    sweep_rate_limits(int) from public;
grant execute on function take_token(text, double precision, double precision, double precision, interval),
    sweep_rate_limits(int) to recorder_service;

do $$
declare
    definer text;
begin
    foreach definer in array array['sweep_rate_limits(int)',
        'take_token(text, double precision, double precision, double precision, interval)'] loop
        execute format('alter function %s set search_path = %I, pg_temp', definer, current_schema());
    end loop;
end
$$;
