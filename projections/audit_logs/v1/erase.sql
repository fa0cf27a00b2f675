-- Addresses and programs are gone, and the chains of the rows that had some are linked anew, as a rebuild links them.

-- First the heads: who adds to these chains waits here, or begins again.
select from audit_chains_v1
where chain in (select log.chain from audit_logs_v1 log join erased on erased.position = log.position and erased.event_id = log.id)
order by chain
for update;

update audit_logs_v1 log
set ip_address = null,
    user_agent = null,
    metadata = log.metadata
        || case when log.metadata ? 'ipAddress' then '{"ipAddress": null}' else '{}' end::jsonb
        || case when log.metadata ? 'userAgent' then '{"userAgent": null}' else '{}' end::jsonb,
    hash = null
from erased
where erased.position = log.position and erased.event_id = log.id
  and (log.ip_address is not null or log.user_agent is not null
       or jsonb_typeof(log.metadata -> 'ipAddress') <> 'null' or jsonb_typeof(log.metadata -> 'userAgent') <> 'null');

with unlinked as (
    select chain, min(position) as position
    from audit_logs_v1
    where hash is null
    group by chain
),
links as (
    select chain, position, hash, coalesce(lag(hash) over (partition by chain order by position), seed) as previous_hash
    from (
        select
            log.chain, log.position, before.hash as seed,
            audit_chain(before.hash, audit_digest(log.id, log.position, log.user_id, log.action, log.resource, log.result,
                                                  log.ip_address, log.user_agent, log.metadata, log.timestamp))
                over (partition by log.chain order by log.position) as hash
        from unlinked
        left join lateral (
            select hash from audit_logs_v1
            where chain = unlinked.chain and position < unlinked.position
            order by position desc limit 1
        ) before on true
        join audit_logs_v1 log on log.chain = unlinked.chain and log.position >= unlinked.position
    ) chained
),
linked as (
    update audit_logs_v1 log
    set hash = links.hash, previous_hash = links.previous_hash
    from links
    where log.chain = links.chain and log.position = links.position
    returning log.chain, log.position, log.hash
)
update audit_chains_v1 head
set head_position = last.position, head_hash = last.hash
from (select distinct on (chain) chain, position, hash from linked order by chain, position desc) last
where head.chain = last.chain;
