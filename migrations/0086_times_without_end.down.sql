create or replace function audit_digest(
    id uuid, "position" bigint, user_id uuid, action text, resource text, result text,
    ip_address text, user_agent text, metadata jsonb, "timestamp" timestamptz
) returns bytea language sql immutable parallel safe as $$
    select sha256(convert_to(jsonb_build_array(
        id, "position", user_id, action, resource, result, ip_address, user_agent, metadata,
        (extract(epoch from "timestamp") * 1000000)::bigint
    )::text, 'UTF8'))
$$;
