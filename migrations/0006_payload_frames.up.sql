-- Payload frames as SQL clients write them: the identity form, uncompressed. The layout is PayloadCodec's.

-- An unsigned LEB128 number below 2^28.
create function varint(number int) returns bytea language sql immutable strict parallel safe as $$
    select decode(case
        when number < 128 then lpad(to_hex(number), 2, '0')
        when number < 16384 then to_hex(number & 127 | 128) || lpad(to_hex(number >> 7), 2, '0')
        when number < 2097152 then
            to_hex(number & 127 | 128) || to_hex(number >> 7 & 127 | 128) || lpad(to_hex(number >> 14), 2, '0')
        else
            to_hex(number & 127 | 128) || to_hex(number >> 7 & 127 | 128) || to_hex(number >> 14 & 127 | 128)
            || lpad(to_hex(number >> 21), 2, '0')
    end, 'hex')
$$;

-- A number as four bytes, little endian.
create function int4_little_endian(number int) returns bytea language sql immutable strict parallel safe as $$
    select decode(lpad(to_hex(number & 255), 2, '0') || lpad(to_hex(number >> 8 & 255), 2, '0')
                  || lpad(to_hex(number >> 16 & 255), 2, '0') || lpad(to_hex(number >> 24 & 255), 2, '0'), 'hex')
$$;

-- The identity frame of an event: format 1, checksum by SHA-256 (flag bit 1), no dictionary, lengths,
-- checksum, then the two JSON texts as they are. Metadata {} is left out.
create function identity_frame(data jsonb, metadata jsonb) returns bytea
language plpgsql immutable parallel safe as $$
declare
    body_data     bytea := convert_to(data::text, 'UTF8');
    body_metadata bytea := case when metadata = '{}' then '' else convert_to(metadata::text, 'UTF8') end;
begin
    return '\x1200'::bytea || varint(length(body_data)) || varint(length(body_metadata))
        || substr(sha256(int4_little_endian(length(body_data)) || body_data || body_metadata), 1, 4)
        || body_data || body_metadata;
end
$$;

-- A new UUIDv7 (RFC 9562) of a moment.
create function uuid_v7(moment timestamptz default clock_timestamp()) returns uuid
language sql volatile parallel safe as $$
    select (lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0')
            || '-7' || substr(gen_random_uuid()::text, 16))::uuid
$$;
