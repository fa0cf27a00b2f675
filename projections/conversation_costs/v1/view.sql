create or replace view conversation_costs with (security_invoker = true) as
select
    session_id,
    stage,
    provider,
    model,
    day,
    calls,
    input_tokens,
    cached_input_tokens,
    output_tokens,
    audio_seconds,
    characters,
    provided_cost,
    computed_cost,
    cost,
    uncosted_calls
from conversation_costs_v1;

alter view conversation_costs owner to recorder_projector;
grant select on conversation_costs to recorder_analyst, recorder_service;
