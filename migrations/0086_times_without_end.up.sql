-- An event whose time is infinite, which only an INSERT by hand can store, had the audit log stop for everybody: its time is no
-- number of microseconds. It is covered by its name instead; the hashes of all other rows stay what they are.

-- SHA-256 of all of a row's columns. As JSON text, because there a value can be mistaken neither for a part
-- of its neighbour nor for NULL; the time as microseconds since 1970, because text would depend on TimeZone.
create or replace function audit_digest(
    id uuid, "position" bigint, user_id uuid, action text, resource text, result text,
    ip_address text, user_agent text, metadata jsonb, "timestamp" timestamptz
) returns bytea language sql immutable parallel safe as $$
    select pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array(
        id, "position", user_id, action, resource, result, ip_address, user_agent, metadata,
        case when pg_catalog.isfinite("timestamp")
             then pg_catalog.to_jsonb((extract(epoch from "timestamp") * 1000000)::bigint)
             else pg_catalog.to_jsonb("timestamp"::text) end
    )::text, 'UTF8'))
$$;
