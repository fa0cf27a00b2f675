create or replace function checked_expected_version(event int, object jsonb) returns int
language plpgsql volatile as $$
declare
    value jsonb := object -> 'expectedVersion';
begin
    case
        when value is null or value = '"any"' then return null;
        when value = '"none"' then return 0;
        when value = '"exists"' then return -1;
        when jsonb_typeof(value) = 'number' and (value)::text ~ '^\d{1,9}$' then return value::int;
        else perform refuse_event(event, 'expectedVersion', 'is not "any", "none", "exists" or a number of events');
    end case;
    return null;
end
$$;

create or replace function checked_time(event int, field text, object jsonb) returns timestamptz
language plpgsql volatile as $$
declare
    value text := checked_text(event, field, object);
begin
    if value !~* '^\d{4}-\d\d-\d\d[t ]([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?(z|[+-]\d\d:\d\d)$' then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
    end if;
    return checked_year(event, value::timestamptz);
exception
    when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
        perform refuse_event(event, field, 'is not an RFC 3339 time');
        return null;
end
$$;

create or replace function identity_frame(data jsonb, metadata jsonb) returns bytea
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

create or replace function search_documents(query text, page int, after_rank real default null, after_id uuid default null)
returns table (id uuid, filename text, rank real, snippet text)
language sql stable security definer as $$
    select id, filename, rank,
           ts_headline('english', translate(text_content, U&'\E000\E001', ''), websearch_to_tsquery('english', $1),
                       U&'MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter=" … ", StartSel=\E000, StopSel=\E001')
    from (
        select id, filename, text_content, rank
        from (
            select d.id, d.filename, d.text_content,
                   ts_rank_cd(d.text_search, websearch_to_tsquery('english', $1)) as rank
            from knowledge_documents d
            where d.user_id = (select acting_user()) and d.deleted_at is null
              and d.text_search @@ websearch_to_tsquery('english', $1)
        ) hit
        where $3 is null or (rank, id) < ($3, $4)
        order by rank desc, id desc
        limit least(greatest($2, 1), 1000)
    ) best
    order by rank desc, id desc
$$;

do $$
begin
    execute format('alter function search_documents(text, int, real, uuid) set search_path = %I, pg_temp', current_schema());
end
$$;
