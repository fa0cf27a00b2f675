drop function audit_verify(uuid);
drop aggregate audit_chain(bytea, bytea);
drop function audit_link(bytea, bytea, bytea);
drop function audit_digest(uuid, bigint, uuid, text, text, text, text, text, jsonb, timestamptz);
