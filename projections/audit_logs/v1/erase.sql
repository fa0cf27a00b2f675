-- Addresses, programs and what else of the metadata is declared as personal are gone, and the chains of the rows that had some
-- are linked anew, as a rebuild links them.

-- First the heads: who adds to these chains waits here, or begins again.
select from audit_chains_v1
where chain in (select log.chain from audit_logs_v1 log join erased on erased.position = log.position and erased.event_id = log.id)
order by chain
for update;

update audit_logs_v1 log
set ip_address = null,
    user_agent = null,
    metadata = log.metadata || personal.blank,
    hash = null
from erased
join audit_logs_v1 found on erased.position = found.position and erased.event_id = found.id
cross join lateral (
    select coalesce(jsonb_object_agg(field, null), '{}') as blank
    from (
        select 'ipAddress' as field
        union select 'userAgent'
        union select p.field from personal_fields p where p.source = 'metadata' and is_type_of(p.type, found.action)
    ) declared
    where jsonb_typeof(found.metadata -> field) <> 'null'
) personal
where log.chain = found.chain and log.position = found.position
  and (log.ip_address is not null or log.user_agent is not null or personal.blank <> '{}');

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
            select coalesce(
                (
                    select hash from audit_logs_v1
                    where chain = unlinked.chain and position < unlinked.position
                    order by position desc limit 1
                ),
                -- What stood before it went by age.
                (select hash from audit_seeds where chain = unlinked.chain and position < unlinked.position)
            ) as hash
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
