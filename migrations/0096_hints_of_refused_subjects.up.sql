-- A refusal of somebody who is erased or unknown says what to do. An append that expects more than the stream holds was
-- told that another came first: it is told now that the stream holds less.

create or replace function refuse_erased(subject uuid) returns void language plpgsql volatile security definer as $$
begin
    if subject is distinct from acting_user() then
        return;
    end if;
    -- An erasure that has this row is waited for; one that comes later waits for us, and finds what we have written.
    perform from users where id = subject for key share;
    if exists (select from erasures where subject_id = subject) then
        perform refuse_user(subject);
    end if;
end
$$;

create or replace function refuse_cached_of_erased() returns trigger language plpgsql volatile security definer as $$
begin
    if new.user_id = acting_user() and exists (select from erasures where subject_id = new.user_id) then
        perform refuse_user(new.user_id);
    end if;
    return new;
end
$$;

create function refuse_user(erased uuid) returns void language plpgsql volatile as $$
begin
    raise exception 'user % is erased, and nothing is stored about them any more', erased
        using errcode = 'RC007', hint = 'Stop what runs for this user. Somebody who comes back is a new user, with a new id.';
end
$$;
alter function refuse_user(uuid) owner to recorder_owner;
revoke execute on function refuse_user(uuid) from public;

create or replace function refuse_nobody(subject uuid, unknown_too boolean) returns void language plpgsql stable as $$
declare
    about  uuid;
    reason text;
    advice text := 'Name the user by the id that the session.started events about this user give as userId.';
begin
    select subject_id into about from stream_subjects where stream_id = subject and subject_id <> subject;
    if subject = '00000000-0000-0000-0000-000000000000' then
        reason := 'the nil UUID is nobody';
    elsif about is not null then
        reason := pg_catalog.format('%s is a session of user %s: name the user', subject, about);
        advice := pg_catalog.format('Say %s instead, if all that is stored about that user is meant.', about);
    elsif not (unknown_too or exists (select from users where id = subject)
               or exists (select from stream_subjects where subject_id = subject)
               or exists (select from events e join event_types t on t.id = e.type
                          where e.stream_id = subject and not starts_with(t.name, 'access.'))
               or exists (select from erasures where subject_id = subject)) then
        reason := pg_catalog.format('%s is nobody whom this recorder knows', subject);
    end if;
    if reason is not null then
        raise exception '%', reason using errcode = 'RC008', hint = advice;
    end if;
end
$$;

create or replace function refuse_version(stream uuid, expected int, found_version int, reason text) returns void
language plpgsql volatile as $$
begin
    perform refuse_given_version(stream, case expected when -1 then 'exists' when 0 then 'none'
                                         else coalesce(expected::text, 'any') end, found_version,
                                 case when reason = 'another append came first' and expected > found_version
                                      then 'the stream holds fewer events' else reason end);
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
                  when 'the stream holds fewer events'
                      then pg_catalog.format('See whether it is the right stream, and whether what should stand before these events'
                                             ' was appended. What goes on from here has the expected version %s.', found_version)
                  when 'the stream is empty'
                      then 'See whether it is the right stream; what begins a stream expects "none".'
                  else 'Repeat an append as it was first sent: the same events in their order, to all its streams. Append'
                       ' what is new by itself, under ids of its own.' end;
end
$$;

do $$
declare
    own regprocedure;
begin
    foreach own in array array['refuse_erased(uuid)', 'refuse_cached_of_erased()', 'refuse_user(uuid)',
                               'refuse_nobody(uuid,boolean)']::regprocedure[] loop
        execute format('alter function %s set search_path = %I, pg_temp', own, current_schema());
    end loop;
end
$$;
