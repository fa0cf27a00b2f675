drop function retain_audit_logs(int, boolean);
drop function retain_latency_minutes(int, boolean);
drop function users_to_erase(int);
drop function retain_entities(text, text, text, int, boolean);
drop function retention_cutoff(text);

create or replace function audit_verify("user" uuid default null)
returns table (user_id uuid, "position" bigint, id uuid, problem text)
language plpgsql stable set search_path from current as $$
#variable_conflict use_column
begin
    return query
        with linked as (
            select a.user_id, a.position, a.id, a.hash, a.previous_hash, lag(a.hash) over chain as before,
                   audit_digest(a.id, a.position, a.user_id, a.action, a.resource, a.result, a.ip_address, a.user_agent,
                                a.metadata, a.timestamp) as digest
            from audit_logs a
            where "user" is null or a.user_id = "user"
            window chain as (partition by a.user_id order by a.position)
        ), faults as (
            select l.user_id, l.position, l.id,
                   case when l.previous_hash is distinct from l.before then 'does not follow the row before it'
                        else 'was changed' end as problem
            from linked l
            where l.previous_hash is distinct from l.before
               or l.hash is distinct from audit_link(l.previous_hash, null, l.digest)
            union all
            select c.user_id, c.head_position, null, 'the end of the chain is missing'
            from audit_chains c
            where ("user" is null or c.user_id = "user")
              and not exists (select from linked l where l.user_id is not distinct from c.user_id and l.hash = c.head_hash
                              and l.position = c.head_position)
            union all
            select last.user_id, last.position, last.id,
                   case when c.head_position is null then 'its chain has no head' else 'what followed it is missing' end
            from (
                select distinct on (l.user_id) l.user_id, l.position, l.id
                from linked l order by l.user_id, l.position desc
            ) last
            left join audit_chains c on c.user_id is not distinct from last.user_id
            where c.head_position is distinct from last.position
        )
        select distinct on (f.user_id) f.user_id, f.position, f.id, f.problem
        from faults f
        order by f.user_id, f.position;
end
$$;

drop table audit_seeds;
drop table retention_policies;
