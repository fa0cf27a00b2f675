-- Who cut whom, by hour (UTC) and the session's providers, summed over the partial rows.
create or replace view interruptions as
select
    bucket_start,
    interrupter,
    case interrupter when 'user' then 'agent' when 'agent' then 'user' end as interrupted,
    llm_provider,
    tts_provider,
    sum(count)::bigint as count,
    sum(false_interruptions)::bigint as false_interruptions,
    sum(measured)::bigint as measured,
    (sum(sum_ms) / nullif(sum(measured), 0))::double precision as average_yield_ms,
    sum(sum_ms)::double precision as sum_yield_ms,
    min(min_ms)::double precision as min_yield_ms,
    max(max_ms)::double precision as max_yield_ms
from interruptions_v1
group by bucket_start, interrupter, llm_provider, tts_provider;

alter view interruptions owner to recorder_projector;
grant select on interruptions to recorder_analyst;
