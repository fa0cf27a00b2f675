-- The audit log's chain of hashes: each row's hash covers the row and the hash before it in its user's chain.

-- SHA-256 of all of a row's columns. As JSON text, because there a value can be mistaken neither for a part
-- of its neighbour nor for NULL; the time as microseconds since 1970, because text would depend on TimeZone.
create function audit_digest(
    id uuid, "position" bigint, user_id uuid, action text, resource text, result text,
    ip_address text, user_agent text, metadata jsonb, "timestamp" timestamptz
) returns bytea language sql immutable parallel safe as $$
    select sha256(convert_to(jsonb_build_array(
        id, "position", user_id, action, resource, result, ip_address, user_agent, metadata,
        (extract(epoch from "timestamp") * 1000000)::bigint
    )::text, 'UTF8'))
$$;

-- One step of the chain; `seed` is the hash before the first row, NULL where the chain begins.
create function audit_link(previous bytea, seed bytea, digest bytea) returns bytea
language sql immutable parallel safe as $$
    select sha256(coalesce(previous, seed, '') || digest)
$$;

-- A chain's hash up to a row, as a window function: audit_chain(seed, digest) over (… order by position).
create aggregate audit_chain(seed bytea, digest bytea) (sfunc = audit_link, stype = bytea);

-- The first row of each chain that does not fit, of one user or of all: no row, no fault.
--
-- A row was changed (its hash is not that of its columns), one is missing or was put in (its previous hash
-- is not that of the row before), or the end was cut off (the chain's head says what should be there).
create function audit_verify("user" uuid default null)
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
