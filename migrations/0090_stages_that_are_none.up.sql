-- A stage that is misspelt was answered like one of which nothing was measured.

create or replace function latency_minutes_must_be_there(stage text, hours timestamptz[], provider text, model text) returns void
language plpgsql stable parallel safe as $$
#variable_conflict use_column
declare
    of_stage     text := latency_minutes_must_be_there.stage;
    of_provider  text := latency_minutes_must_be_there.provider;
    of_model     text := latency_minutes_must_be_there.model;
    since        timestamptz := (select min(hour) from unnest(hours) hour);
    until        timestamptz := (select max(hour) + interval '1 hour' from unnest(hours) hour);
    lacking      timestamptz;
begin
    if of_stage is null or of_stage not in ('asr', 'rag', 'llm', 'llm_first_token', 'tts', 'turn') then
        raise exception 'stages are asr, rag, llm, llm_first_token, tts and turn, not %', coalesce(of_stage, 'NULL')
            using errcode = 'invalid_parameter_value';
    end if;
    if since is null then
        return;
    end if;
    select max(hour) into lacking
    from (
        select date_trunc('hour', part.bucket_start, 'UTC') as hour
        from latency_metrics_parts part
        where part.resolution in ('hour', 'minute') and part.bucket_start >= since and part.bucket_start < until
          and date_trunc('hour', part.bucket_start, 'UTC') = any(hours)
          and part.stage = of_stage
          and (of_provider is null or part.provider = of_provider)
          and (of_model is null or part.model = of_model)
        group by 1
        having sum(part.count) filter (where part.resolution = 'hour')
             > coalesce(sum(part.count) filter (where part.resolution = 'minute'), 0)
    ) incomplete;
    if lacking is not null then
        raise exception 'minutes before % were deleted, and only whole hours are left: let ranges and steps begin and end there with the hour (UTC)',
            to_char((lacking + interval '1 hour') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;

do $$
begin
    execute format('alter function latency_minutes_must_be_there(text, timestamptz[], text, text) set search_path = %I, pg_temp',
        current_schema());
end
$$;
