drop function uuid_v7(timestamptz);
drop function identity_frame(jsonb, jsonb);
drop function int4_little_endian(int);
drop function varint(int);
