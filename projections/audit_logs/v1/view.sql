-- The chain is the user's id, and the nil UUID for nobody's events: who asks for one user's rows names it as well, and the key,
-- which begins with it, serves that.
create or replace view audit_logs with (security_invoker = true) as
select
    id,
    position,
    user_id,
    action,
    resource,
    result,
    ip_address,
    user_agent,
    metadata,
    timestamp,
    hash,
    previous_hash,
    chain
from audit_logs_v1;

-- Where each user's chain ends, for audit_verify.
create or replace view audit_chains with (security_invoker = true) as
select
    nullif(chain, '00000000-0000-0000-0000-000000000000') as user_id,
    length,
    head_position,
    head_hash
from audit_chains_v1;

alter view audit_logs owner to recorder_projector;
alter view audit_chains owner to recorder_projector;
grant select on audit_logs, audit_chains to recorder_analyst, recorder_service;
