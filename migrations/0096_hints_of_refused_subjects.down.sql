create or replace function refuse_erased(subject uuid) returns void language plpgsql volatile security definer as $$
begin
    if subject is distinct from acting_user() then
        return;
    end if;
    -- An erasure that has this row is waited for; one that comes later waits for us, and finds what we have written.
    perform from users where id = subject for key share;
    if exists (select from erasures where subject_id = subject) then
        raise exception 'user % is erased, and nothing is stored about him any more', subject using errcode = 'RC007';
    end if;
end
$$;

create or replace function refuse_cached_of_erased() returns trigger language plpgsql volatile security definer as $$
begin
    if new.user_id = acting_user() and exists (select from erasures where subject_id = new.user_id) then
        raise exception 'user % is erased, and nothing is stored about him any more', new.user_id using errcode = 'RC007';
    end if;
    return new;
end
$$;

create or replace function refuse_nobody(subject uuid, unknown_too boolean) returns void language plpgsql stable as $$
declare
    about uuid;
begin
    if subject = '00000000-0000-0000-0000-000000000000' then
        raise exception 'the nil UUID is nobody' using errcode = 'RC008';
    end if;
    select subject_id into about from stream_subjects where stream_id = subject and subject_id <> subject;
    if found then
        raise exception '% is a session of user %: name the user', subject, about using errcode = 'RC008';
    end if;
    if not (unknown_too or exists (select from users where id = subject)
            or exists (select from stream_subjects where subject_id = subject)
            or exists (select from events e join event_types t on t.id = e.type
                       where e.stream_id = subject and not starts_with(t.name, 'access.'))
            or exists (select from erasures where subject_id = subject)) then
        raise exception '% is nobody whom this recorder knows', subject using errcode = 'RC008';
    end if;
end
$$;

create or replace function refuse_given_version(stream uuid, expected text, found_version int, reason text) returns void
language plpgsql volatile as $$
begin
    raise exception 'wrong expected version of stream %: expected %, found %: %',
        stream, expected, found_version, reason
        using errcode = 'RC001',
              detail = pg_catalog.jsonb_build_object('stream', stream, 'expected', expected, 'found', found_version,
                                          'reason', reason)::text,
              hint = case reason
                  when 'another append came first'
                      then pg_catalog.format('Read the stream, decide anew, and append with the expected version %s, or without'
                                             ' one if the events fit whatever the stream holds.', found_version)
                  when 'the stream is empty'
                      then 'See whether it is the right stream; what begins a stream expects "none".'
                  else 'Repeat an append as it was first sent: the same events in their order, to all its streams. Append'
                       ' what is new by itself, under ids of its own.' end;
end
$$;

create or replace function refuse_version(stream uuid, expected int, found_version int, reason text) returns void
language plpgsql volatile as $$
begin
    perform refuse_given_version(stream, case expected when -1 then 'exists' when 0 then 'none'
                                         else coalesce(expected::text, 'any') end, found_version, reason);
end
$$;

drop function refuse_user(uuid);

do $$
declare
    own regprocedure;
begin
    foreach own in array array['refuse_erased(uuid)', 'refuse_cached_of_erased()',
                               'refuse_nobody(uuid,boolean)']::regprocedure[] loop
        execute format('alter function %s set search_path = %I, pg_temp', own, current_schema());
    end loop;
end
$$;
