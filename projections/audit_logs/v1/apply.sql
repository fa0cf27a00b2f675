-- handles: user.*, voice_model.*, face_model.*, document.*, access.*, session.started, session.ended
-- shards: 1
-- column: user_id uuid = data.userId
-- column: entity_id text = data.id
-- column: resource text = data.resource
-- column: result text = data.result
-- column: actor text = metadata.actor
-- column: ip_address text = metadata.ipAddress
-- column: user_agent text = metadata.userAgent
-- column: metadata jsonb = metadata
-- personal: ip_address, user_agent, metadata

-- One shard: streams meet in the chains of their users.
--
-- Whose event it is: the user it names, the user whose stream it is in, the user who started the session
-- (a running maximum of version and id finds the last start before it), or the actor.
insert into audit_logs_v1 (
    chain, position, id, user_id, action, resource, result, ip_address, user_agent, metadata, timestamp
)
select
    coalesce(owner.id, '00000000-0000-0000-0000-000000000000'),
    position,
    event_id,
    owner.id,
    type,
    coalesce(case when type like 'access.%' then resource end,
             split_part(type, '.', 1) || '/'
                 || coalesce(case when type not like 'session.%' then entity_id end, stream_id::text)),
    coalesce(result, 'success'),
    ip_address,
    user_agent,
    coalesce(metadata, '{}'),
    occurred_at
from (
    select
        *,
        substr(max(lpad(version::text, 10, '0') || user_id::text collate "C") filter (where type = 'session.started')
            over (partition by stream_id order by version), 11)::uuid as started_by
    from batch
) event
left join lateral (select user_id from audit_sessions_v1 where session_id = event.stream_id limit 1) session on true
cross join lateral (
    values (nullif(coalesce(
        event.user_id,
        case when type like 'user.%' then stream_id end,
        started_by,
        session.user_id,
        case when actor ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then actor::uuid end
    ), '00000000-0000-0000-0000-000000000000'))
) as owner(id);

insert into audit_sessions_v1 as session (session_id, user_id)
select distinct on (stream_id) stream_id, user_id
from batch
where type = 'session.started' and user_id is not null
order by stream_id, version desc
on conflict (session_id) do update set user_id = excluded.user_id;

-- Takes the heads of the chains that grew.
insert into audit_chains_v1 as head (chain, length)
select chain, count(*)
from audit_logs_v1
where hash is null
group by chain
order by chain
on conflict (chain) do update set length = head.length + excluded.length;

-- Links the new rows, and links again what stands after the first of them: a late row goes to its place.
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
            log.chain, log.position, seeded.hash as seed,
            audit_chain(seeded.hash, audit_digest(log.id, log.position, log.user_id, log.action, log.resource, log.result,
                                                  log.ip_address, log.user_agent, log.metadata, log.timestamp))
                over (partition by log.chain order by log.position) as hash
        from (
            select chain, position, coalesce(
                (
                    select hash from audit_logs_v1
                    where chain = unlinked.chain and position < unlinked.position
                    order by position desc limit 1
                ),
                -- What stood before it went by age.
                (select hash from audit_seed(unlinked.chain, unlinked.position) as seed(hash))
            ) as hash
            from unlinked
            offset 0  -- once a chain, not once a row
        ) seeded
        join audit_logs_v1 log on log.chain = seeded.chain and log.position >= seeded.position
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
