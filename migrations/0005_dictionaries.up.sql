-- Compression dictionaries. A frame names the one it needs in events.encoding; without it the payload is lost.
create table dictionaries (
    id          smallint    primary key,
    bytes       bytea       not null,
    trained_at  timestamptz not null default clock_timestamp(),
    trained_on  text        not null,
    checksum    bytea       not null,
    constraint dictionaries_id_positive check (id > 0),
    constraint dictionaries_checksum check (checksum = sha256(bytes))
);

-- Refuses to change or delete a dictionary that a stored frame needs.
create function refuse_dictionary_in_use() returns trigger language plpgsql security definer as $$
begin
    -- Waits for appends under way, which may have used it, and holds back new ones until this is decided.
    lock table events in share mode;
    if exists (select from events where encoding = old.id) then
        raise exception 'dictionary % is in use: % is refused', old.id, tg_op
            using errcode = 'RC003', hint = 'Train a new dictionary; payloads keep the one they were written with.';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end
$$;

do $$
begin
    execute format('alter function refuse_dictionary_in_use() set search_path = %I, pg_temp', current_schema());
end
$$;

alter function refuse_dictionary_in_use() owner to recorder_owner;

create trigger refuse_change before update or delete on dictionaries
    for each row execute function refuse_dictionary_in_use();
create trigger refuse_truncate before truncate on dictionaries for each statement execute function refuse_change();
alter table dictionaries enable always trigger refuse_change, enable always trigger refuse_truncate;

alter table dictionaries owner to recorder_owner;
grant select, insert on dictionaries to recorder_appender;
grant select on dictionaries to recorder_projector;
